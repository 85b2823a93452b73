import test from 'ava';
import { ManifestError } from './manifest-error.ts';
import { utf8Text } from './utf8.ts';

const text = 'a: 1\nb: caf\u00e9\nc: \u{1f600}\n';

test('UTF-8 is read, with its mark of byte order', (t) => {
  t.is(utf8Text(Buffer.from(text), 'f'), text);
  t.is(utf8Text(Buffer.from(`\ufeff${text}`), 'f'), `\ufeff${text}`);
  t.is(utf8Text(Buffer.from('a: \ufffd'), 'f'), 'a: \ufffd');
});

const others: Readonly<Record<string, readonly [bytes: Buffer, line: number]>> = {
  'Latin-1': [Buffer.from('a: 1\nb: caf\u00e9\n', 'latin1'), 2],
  'UTF-16': [Buffer.from(`\ufeff${text}`, 'utf16le'), 1],
  'a character that is cut off': [Buffer.from(text).subarray(0, -3), 3],
  'half of a surrogate pair': [Buffer.from([0x61, 0x0a, 0x0a, 0xed, 0xa0, 0x80]), 3],
};

for (const [title, [bytes, line]] of Object.entries(others)) {
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => utf8Text(bytes, 'f.yaml'), { instanceOf: ManifestError });
    t.is(error.message, 'the text is not UTF-8');
    t.is(error.where, `f.yaml:${line}`);
  });
}
