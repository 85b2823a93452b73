/** The table of all fields in docs/manifest.md, made from the schema so that it cannot go stale. */
import type { z } from 'zod';
import { objectKinds } from '../pod/objects.ts';
import { ephemeralContainer } from './schema/ephemeral-container.ts';
import { objectSchemas } from './schema/objects.ts';
import { podSchema } from './schema/pod.ts';
import { fieldsOf, objectIn } from './schema/walk.ts';

const start = '<!-- fields: made by scripts/generate-manifest-docs.ts -->';
const end = '<!-- end of fields -->';

/** The page with its tables replaced by current ones. */
export function withFieldTables(page: string): string {
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the page has no "${start}"`);
  return `${before}${start}\n\n${fieldTables()}\n${end}${after}`;
}

/** One table for each kind of thing in a Pod and in the objects it uses, in Markdown. */
export function fieldTables(): string {
  const done = new Set<unknown>();
  return [
    sectionsOf(podSchema, 'Pod', '', done),
    // What it has in common with a container is described there.
    sectionsOf(ephemeralContainer, 'EphemeralContainer', '', done),
    ...objectKinds.map((kind) => sectionsOf(objectSchemas[kind], kind, '', new Set())),
  ]
    .flat()
    .join('\n');
}

function sectionsOf(
  type: z.core.$ZodType,
  kind: string,
  path: string,
  done: Set<unknown>,
): readonly string[] {
  const object = objectIn(type);
  // Init containers are containers, described once.
  if (object === undefined || done.has(object)) return [];
  done.add(object);
  const fields = fieldsOf(type);
  const rows = fields.map(({ name, treatment, isRequired }) => [
    `\`${name}\``,
    isRequired ? 'required' : (treatment?.kind ?? ''),
    treatment?.why ?? '',
  ]);
  const title = titleOf(kind, path);
  const section = [
    title,
    '',
    ...table([['Field', 'Treatment', 'What it does, or why not'], ...rows]),
    '',
  ];
  return [
    section.join('\n'),
    ...fields
      .filter(({ treatment }) => treatment?.kind === 'honoured')
      .flatMap((field) => {
        const at = `${path === '' ? '' : `${path}.`}${field.name}${field.isList ? '[]' : ''}`;
        return sectionsOf(field.type, kind, at, done);
      }),
  ];
}

/** `### Pod`, then `### \`spec\``: the parts of a Pod need no other name. */
function titleOf(kind: string, path: string): string {
  if (path === '') return `### ${kind}`;
  const article = /^[AEIOU]/.test(kind) ? 'an' : 'a';
  return `### \`${path}\`${kind === 'Pod' ? '' : ` of ${article} ${kind}`}`;
}

/** Columns of equal width, since the page is read as text too; the last one runs free. */
function table([head = [], ...rows]: readonly (readonly string[])[]): readonly string[] {
  const widths = head.slice(0, -1).map((_, column) => {
    return Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0));
  });
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [
    line(head),
    line(head.map((_, column) => '-'.repeat(widths[column] ?? 3))),
    ...rows.map(line),
  ];
}
