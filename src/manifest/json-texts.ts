/** Several JSON objects one after another, as a loop around `kubectl get -o json` writes them. */

/** A part of a text, and where in it that begins. */
export interface Piece {
  readonly text: string;
  readonly start: number;
}

/** Each object of a text that is nothing but JSON objects; any other text as it is, in one piece. */
export function jsonTextsOf(text: string): readonly Piece[] {
  const starts = startsOfObjects(text);
  const pieces = starts.map((start, index) => ({
    text: text.slice(start, starts[index + 1]),
    start,
  }));
  return pieces.length > 1 && pieces.every((piece) => isJson(piece.text))
    ? pieces
    : [{ text, start: 0 }];
}

/** Where an object begins right after the end of another one; in YAML that would be a fault. */
function startsOfObjects(text: string): readonly number[] {
  if (!text.trimStart().startsWith('{')) return [];
  const starts = [0];
  let depth = 0;
  let isInText = false;
  let isAfterObject = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInText) {
      if (character === '\\') at++;
      else if (character === '"') isInText = false;
      continue;
    }
    if (character === '{') {
      if (isAfterObject) starts.push(at);
      depth++;
    } else if (character === '}') depth--;
    else if (character === '"') isInText = true;
    else if (isBlank(character)) continue;
    isAfterObject = character === '}' && depth === 0;
  }
  return starts;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
