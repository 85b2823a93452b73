/**
 * How the page looks: by day and by night, on screen and on paper. Nothing is loaded from anywhere.
 */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2430; --faint: #68717f; --rule: #e2e6ec; --card: #f6f8fa;
  --in-place: #0b7a75; --naive: #c2700a; --re-creation: #7a5195;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --ink: #e4e9f0; --faint: #98a2b0; --rule: #2b323c; --card: #1a2028;
    --in-place: #3cc4bd; --naive: #f0a648; --re-creation: #c39bdc;
  }
}
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 56rem;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif;
}
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .6rem; }
p { margin: .4rem 0; }
.faint { color: var(--faint); }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.6rem 0; }
.card {
  flex: 1 1 13rem; padding: 1rem 1.2rem; background: var(--card);
  border-radius: .5rem; border-left: .3rem solid var(--in-place);
}
.card.naive { border-color: var(--naive); }
.card.re-creation { border-color: var(--re-creation); }
.card b { display: block; font-size: 1.7rem; line-height: 1.25; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg .tick { fill: var(--faint); font-size: 12px; }
svg .value { font-weight: 600; }
.grid { stroke: var(--rule); }
.in-place { --tone: var(--in-place); }
.naive { --tone: var(--naive); }
.re-creation { --tone: var(--re-creation); }
.dot { fill: var(--tone); fill-opacity: .55; }
.median { stroke: var(--tone); stroke-width: 2.5; }
.line { fill: none; stroke: var(--tone); stroke-width: 1.5; }
.bar { fill: var(--tone); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); }
th { color: var(--faint); font-weight: 500; font-size: .85rem; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.text { text-align: left; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; }
.key i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; background: var(--tone); }
.key span { margin-right: 1.2rem; }
@media print { body { padding: 0; max-width: none; } h2 { break-after: avoid; } svg { break-inside: avoid; } }
`;
