/**
 * Tells the story of a pod on standard output: a line for people, or a JSON object for programs.
 */
import { inStyle, printLine, visible } from './output.ts';
import type { Style } from './output.ts';
import type { StoryLine } from './story.ts';

export type Narrator = (line: StoryLine) => void;

/** How a story is told; `names` are the containers, for the width of their column. */
export function narrator(options: { json: boolean; names: readonly string[] }): Narrator {
  if (options.json) return tellJson;
  const width = Math.max(podItself.length, ...options.names.map(({ length }) => length));
  return ({ container = podItself, text, tone }) => {
    const time = inStyle('dim', clock(new Date()));
    const style = styles[tone];
    const said = visible(text);
    printLine(`${time}  ${container.padEnd(width)}  ${style ? inStyle(style, said) : said}`);
  };
}

/** No container can have this name. */
const podItself = '(pod)';

const styles: Readonly<Record<StoryLine['tone'], Style | undefined>> = {
  plain: undefined,
  good: 'green',
  bad: 'red',
  notice: 'yellow',
};

function tellJson({ container, what, text, facts }: StoryLine): void {
  printLine(JSON.stringify({ time: new Date().toISOString(), container, what, text, ...facts }));
}

/** 14:03:59.123, local time. */
function clock(time: Date): string {
  const [h, m, s] = [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits);
  return `${h}:${m}:${s}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
