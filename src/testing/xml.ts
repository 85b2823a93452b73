/** Reads XML strictly, as far as our own pictures and pages use it: elements, attributes and text. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Elements and pieces of text, in order. */
  readonly children: readonly (XmlElement | string)[];
}

const NAME = '[A-Za-z][A-Za-z0-9-]*';
const VALUE = '"(?:[^<&"]|&#[0-9]+;)*"';
const TAG = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}=${VALUE})*)\\s*(/?)>`, 'y');
const TEXT = /(?:[^<>&]|&#[0-9]+;)+/y;
const ATTRIBUTE = new RegExp(`(${NAME})=(${VALUE})`, 'g');
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F]/;

/** The root element of a document; throws where it is not well-formed. */
export function parseXml(document: string): XmlElement {
  const text = document.replace(/^<!DOCTYPE html>\s*/, '').trim();
  if (CONTROL.test(text)) throw new Error('a control character has no place in XML');
  const root = { name: '', attributes: {}, children: [] as (XmlElement | string)[] };
  const open = [root];
  for (let at = 0; at < text.length;) {
    const parent = open.at(-1) ?? root;
    const words = matchAt(TEXT, text, at);
    const tag = words ? undefined : matchAt(TAG, text, at);
    if (!words && !tag) throw new Error(`no XML: ${text.slice(at, at + 60)}`);
    at += (words ?? tag)?.[0].length ?? 0;
    if (words) parent.children.push(decoded(words[0]));
    if (!tag) continue;
    const [, closes, name = '', attributes = '', isEmpty] = tag;
    if (closes) {
      if (parent.name !== name) throw new Error(`</${name}> ends <${parent.name}>`);
      open.pop();
      continue;
    }
    const element = { name, attributes: attributesIn(attributes), children: [] };
    parent.children.push(element);
    if (!isEmpty) open.push(element);
  }
  const [only, ...others] = root.children;
  if (open.length > 1) throw new Error(`<${open.at(-1)?.name ?? ''}> has no end`);
  if (typeof only !== 'object' || others.length > 0) throw new Error('not one element');
  return only;
}

/** All elements of that name below an element. */
export function elementsIn(within: XmlElement, name: string): readonly XmlElement[] {
  return within.children.flatMap((child) => {
    if (typeof child === 'string') return [];
    return [...(child.name === name ? [child] : []), ...elementsIn(child, name)];
  });
}

/** The text that an element holds by itself. */
export function textOf({ children }: XmlElement): string {
  return children.filter((child) => typeof child === 'string').join('');
}

function attributesIn(text: string): Record<string, string> {
  const all = [...text.matchAll(ATTRIBUTE)].map(([, name = '', value = '']) => [
    name,
    decoded(value.slice(1, -1)),
  ]);
  const attributes = Object.fromEntries(all) as Record<string, string>;
  if (Object.keys(attributes).length < all.length) throw new Error(`twice the same: ${text}`);
  return attributes;
}

function decoded(text: string): string {
  return text.replace(/&#([0-9]+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
