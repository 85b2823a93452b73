/** Timelines as one page that stands alone: no script, nothing to fetch. It is well-formed XML, too. */
import { escaped, timelineSvg } from './svg.ts';
import type { Timeline } from './timeline.ts';
import { outcomeInWords } from './timeline.ts';

export function timelineHtml(pod: string, timelines: readonly Timeline[]): string {
  const rows = timelines.map(
    (one) =>
      `<tr><td>${one.generation}</td><td>${new Date(one.beganAt).toISOString()}</td>` +
      `<td>${escaped(one.cause)}</td><td>${outcomeInWords(one)}</td></tr>`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8"/>
<title>In-place restarts of ${escaped(pod)}</title>
<style>
  body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; }
  table { border-collapse: collapse; margin-bottom: 2rem; }
  th, td { text-align: left; padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid #e4e4e4; }
  svg { max-width: 100%; height: auto; }
</style>
<h1>In-place restarts of ${escaped(pod)}</h1>
<table>
<tr><th>Generation</th><th>Began</th><th>Cause</th><th>Outcome</th></tr>
${rows.join('\n')}
</table>
${timelineSvg(timelines)}
</html>
`;
}
