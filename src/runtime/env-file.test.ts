import test from 'ava';
import fc from 'fast-check';
import { ContainerConfigError } from './config-error.ts';
import { parseEnvFile, valueInFile } from './env-file.ts';

const values: Record<string, [text: string, value: string | undefined]> = {
  'a value is what is between the quotes': ["A='one'", 'one'],
  'nothing is expanded in it': [String.raw`A='$B \n "#"'`, String.raw`$B \n "#"`],
  'it may have several lines': ["A='one\n  two\n'\n", 'one\n  two\n'],
  'the first of a name counts': ["A='1'\nA='2'", '1'],
  'others come before it': ["B='1'\n\n# A='x'\n  A='2' # that one", '2'],
  'one of several lines comes before it': ["B='\nA='\nA='2'", '2'],
  'a space after the sign makes it empty': ["A= 'one'", undefined],
  'and leaves the next line alone': ["B= 'one'\nA='2'", '2'],
  'an empty value is none': ["A=''", undefined],
  'a name is a whole name': ["AB='1'\nB='2'", undefined],
  'an empty file has none': ['', undefined],
  'a file of comments has none': ['# x\n\n   # y', undefined],
  'lines may end as on Windows': ["B='1'\r\nA='2'\r\n", '2'],
  'a carriage return ends no line': ["B= x\rA='1'\nA='2' # y\rA='3'\n", '2'],
  'nor does it end a comment': ["# x\rA='1'\nA='2'", '2'],
  'what comes after it is not judged': ["A='1'\nnonsense", '1'],
};
for (const [title, [text, value]] of Object.entries(values)) {
  test(title, (t) => t.is(valueInFile(parseEnvFile(text), 'A'), value));
}

const faults: Record<string, [text: string, message: RegExp]> = {
  'a line without a sign': ["B='1'\nnonsense", /line 2: missing '='/],
  'a value without quotes': ['\n# x\nB=1', /line 3: value must be enclosed in single quotes/],
  'a value in double quotes': ['B="1"', /line 1: value must be enclosed in single quotes/],
  'a quote that stays open': ["B='1\n\n", /line 1: unclosed single quote/],
  'more than a comment after a value': ["B='1'x", /line 1: unexpected content after closing quote/],
  'a space before the sign': ["B ='1'", /line 1: whitespace before '='/],
  'no name': ["='1'", /line 1: empty variable name/],
};
for (const [title, [text, message]] of Object.entries(faults)) {
  test(`${title} is a fault`, (t) => {
    t.throws(() => valueInFile(parseEnvFile(text), 'A'), {
      instanceOf: ContainerConfigError,
      message,
    });
  });
}

test('a file is read once for all keys, up to its first fault', (t) => {
  const file = parseEnvFile("A='1'\nB= x\nB='2'\nA='3'\nno\nC='4'\nnor this");
  t.deepEqual(
    [...file.values],
    [
      ['A', '1'],
      ['B', ''],
    ],
  );
  t.is(valueInFile(file, 'A'), '1');
  t.is(valueInFile(file, 'B'), undefined);
  t.throws(() => valueInFile(file, 'C'), { message: /line 5: missing '='/ });
});

test('whatever a container writes, it is a value, nothing, or a fault', (t) => {
  const pieces = fc.constantFrom(
    ...['A', 'B', '=', "'", '#', ' ', '\n', '\r', '\t', '"', '\0', '\u2028', 'A= ', "A='"],
  );
  fc.assert(
    fc.property(
      fc.array(pieces).map((all) => all.join('')),
      (text) => {
        try {
          t.not(valueInFile(parseEnvFile(text), 'A'), '');
        } catch (error) {
          t.true(error instanceof ContainerConfigError);
        }
      },
    ),
    { numRuns: 5_000 },
  );
});
