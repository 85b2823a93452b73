import test from 'ava';
import { elementsIn, parseXml, textOf } from './xml.ts';

test('a document is read as it is', (t) => {
  const root = parseXml('<a b="1 &#60; 2"><c/>x &#38; y<c d="e"><c/></c></a>\n');
  t.like(root, { name: 'a', attributes: { b: '1 < 2' } });
  t.is(textOf(root), 'x & y');
  t.is(elementsIn(root, 'c').length, 3);
});

for (const [what, text] of Object.entries({
  'an element without an end': '<a><b></a>',
  'no end at all': '<a>',
  'an end too many': '<a></a></a>',
  'two elements': '<a/><b/>',
  'text alone': 'a',
  'a bare ampersand': '<a>b & c</a>',
  'an entity that only HTML has': '<a>&nbsp;</a>',
  'an open bracket': '<a>b < c</a>',
  'an attribute without quotes': '<a b=c/>',
  'an attribute without a value': '<a b/>',
  'the same attribute twice': '<a b="1" b="2"/>',
  'a control character': '<a>\u001b</a>',
})) {
  test(`it refuses ${what}`, (t) => {
    t.throws(() => parseXml(text));
  });
}
