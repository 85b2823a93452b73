import test from 'ava';
import fc from 'fast-check';
import { ContainerConfigError } from './config-error.ts';
import { expand, expandPath, expandWords } from './expand.ts';
import { ProgramRoom } from './program-room.ts';

const variables = new Map([
  ['A', 'one'],
  ['B', '$(A)'],
  ['EMPTY', ''],
  ['a.b-c', 'dotted'],
]);

const expansions: Record<string, readonly [text: string, becomes: string]> = {
  'a reference becomes the value': ['x $(A) y', 'x one y'],
  'several references in a row': ['$(A)$(A)', 'oneone'],
  'a value is not expanded again': ['$(B)', '$(A)'],
  'an empty value counts': ['<$(EMPTY)>', '<>'],
  'what is not defined stays': ['$(NOPE)', '$(NOPE)'],
  'two dollars are one': ['$$', '$'],
  'a doubled dollar keeps a reference from being one': ['$$(A)', '$(A)'],
  'a third dollar makes it one again': ['$$$(A)', '$one'],
  'an open reference stays': ['$(A', '$(A'],
  'an open reference reaches to the next end': ['$(A $(A) $(A)', '$(A $(A) one'],
  'what follows an open reference is looked at': ['$(A)$(A $$', 'one$(A $'],
  'a dollar before anything else stays': ['$A $ ${A}', '$A $ ${A}'],
  'a name may hold what a shell would not take': ['$(a.b-c)', 'dotted'],
  'an empty reference stays': ['$()', '$()'],
};
for (const [title, [text, becomes]] of Object.entries(expansions)) {
  test(title, (t) => t.is(expand(text, variables, 'x'), becomes));
}

test('any text expands as by its definition', (t) => {
  const pieces = fc.constantFrom('$', '(', ')', 'A', 'B', '$(A)', '$(', '\n', '😀');
  fc.assert(
    fc.property(
      fc.array(pieces).map((all) => all.join('')),
      (text) => {
        const defined = text.replaceAll(
          /\$(?:\$|\(([^)]*)\))/g,
          (reference, name: string | undefined) =>
            name === undefined ? '$' : (variables.get(name) ?? reference),
        );
        t.is(expand(text, variables, 'x'), defined);
      },
    ),
    { numRuns: 5_000 },
  );
});

test('open references take no longer than anything else', (t) => {
  const fastest = (text: string): number =>
    Math.min(
      ...[1, 2, 3].map(() => {
        const since = performance.now();
        expand(text, variables, 'x');
        return performance.now() - since;
      }),
    );
  const [dollars, open] = [fastest('$$'.repeat(65_000)), fastest('$('.repeat(65_000))];
  t.true(open < 50 * dollars, `${open} ms, not ${dollars} ms`);
});

const long = new Map([['L', 'x'.repeat(2000)]]);

test('nothing gets longer than a program can be started with', (t) => {
  const words = (...all: string[]) =>
    expandWords(all, long, { field: 'args', room: new ProgramRoom() });
  t.is(words('$(L)'.repeat(65))[0]?.length, 130_000);
  t.throws(() => words('', '$(L)'.repeat(66)), {
    instanceOf: ContainerConfigError,
    message: /^args\[1\] has more than 131071 bytes, .*: pass it in a file$/,
  });
  t.throws(() => words('ß'.repeat(65_536)), { message: /^args\[0\] has more than 131071 bytes/ });
  t.throws(() => words(...Array.from({ length: 49 }, () => '$(L)'.repeat(65))), {
    message: /^args\[48\] is too much: environment, command and args/,
  });
});

test('the environment leaves less room for words', (t) => {
  const room = new ProgramRoom();
  for (let index = 0; index < 48; index += 1) room.takeVariable(`V${index}`, 'x'.repeat(131_000));
  t.throws(() => expandWords(['x'.repeat(10_000)], long, { field: 'command', room }), {
    message: /^command\[0\] is too much/,
  });
});

test('no path gets longer than paths can be', (t) => {
  t.is(expandPath('$(L)/$(L)', long, 'x').length, 4001);
  t.throws(() => expandPath('$(L)'.repeat(3), long, 'subPathExpr'), {
    instanceOf: ContainerConfigError,
    message: 'subPathExpr has more than 4095 bytes, which no path can have',
  });
});
