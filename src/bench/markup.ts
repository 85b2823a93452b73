/**
 * HTML and SVG as values: elements within elements, and all text escaped. Pure.
 */

/** A piece of markup, ready to be put into another one. */
export interface Markup {
  readonly markup: string;
}

type Child = Markup | string | number | undefined | readonly Child[];
type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Elements that have no end tag. */
const empty: ReadonlySet<string> = new Set(['meta', 'br']);

/** One element; absent attributes and children are left out. */
export function h(name: string, attributes: Attributes, ...children: readonly Child[]): Markup {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escaped(tidy(value))}"`],
  );
  const start = `<${name}${written.join('')}>`;
  return {
    markup: empty.has(name) ? start : `${start}${children.map(write).join('')}</${name}>`,
  };
}

/** A style sheet: the one text that is not escaped, and never one from outside. */
export function styleSheet(css: string): Markup {
  return { markup: `<style>${css}</style>` };
}

function write(child: Child): string {
  if (child === undefined) return '';
  if (typeof child === 'string' || typeof child === 'number') return escaped(tidy(child));
  return 'markup' in child ? child.markup : child.map(write).join('');
}

/** Coordinates need no more than hundredths. */
function tidy(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
