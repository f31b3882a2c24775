"""The style sheet of the page: light and dark, wide and narrow, in colours of AA contrast."""

CSS = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #d9dee5; --text: #1b2430; --soft: #566273;
  --link: #0b57b0; --focus: #0b57b0;
  --ok: #11683a; --ok-back: #e3f4ea; --todo: #1f55a8; --todo-back: #e5eefb;
  --warn: #7f4d00; --warn-back: #fdf0d5; --bad: #a31626; --bad-back: #fce6e8;
  --quiet: #566273; --quiet-back: #edf0f3; --bar: #3f7fd0; --limit: #a31626;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1b212a; --line: #333d4a; --text: #e6eaf0; --soft: #a3b0c0;
    --link: #8fbcff; --focus: #8fbcff;
    --ok: #7ddba3; --ok-back: #143324; --todo: #9cc3ff; --todo-back: #172c4a;
    --warn: #f3c26b; --warn-back: #3b2c0e; --bad: #ff9ea6; --bad-back: #45191e;
    --quiet: #a3b0c0; --quiet-back: #272f3a; --bar: #6ea5ee; --limit: #ff9ea6;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
footer { padding-bottom: 2rem; color: var(--soft); font-size: .875rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.125rem; margin: 0; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .25rem 0; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible {
  outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px;
}
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .25rem .75rem; }
.soft { color: var(--soft); }
.brand { font-weight: 700; letter-spacing: .02em; color: var(--soft); margin-bottom: 1rem; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.25rem; margin: 1rem 0;
}
.head { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
.chip {
  display: inline-block; white-space: nowrap; border-radius: 999px; padding: 0 .6rem;
  font-size: .8125rem; line-height: 1.5rem; font-weight: 600;
}
.ok { color: var(--ok); background: var(--ok-back); }
.todo { color: var(--todo); background: var(--todo-back); }
.warn { color: var(--warn); background: var(--warn-back); }
.bad { color: var(--bad); background: var(--bad-back); }
.quiet { color: var(--quiet); background: var(--quiet-back); }
.path, code, pre { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; }
.path { font-size: .875rem; color: var(--soft); overflow-wrap: anywhere; margin-bottom: .75rem; }
.note { border-radius: 8px; padding: .6rem .9rem; margin: .75rem 0; overflow-wrap: anywhere; }
.note h3 { margin: 0 0 .25rem; }
.note ul { margin: .25rem 0; padding-left: 1.25rem; }
pre {
  margin: .5rem 0 .25rem; padding: .5rem .75rem; background: var(--card); color: var(--text);
  border: 1px solid var(--line); border-radius: 6px; font-size: .875rem;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin: .5rem 0; }
dl div { display: flex; flex-direction: column; }
dt { color: var(--soft); font-size: .8125rem; }
dd { margin: 0; }
details { margin: .75rem 0 0; }
summary { cursor: pointer; font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 0; font-size: .9375rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; }
thead th { color: var(--soft); font-size: .8125rem; font-weight: 600; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
tbody th { font-weight: 500; }
td, th { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
.place { width: 2.5rem; text-align: right; color: var(--soft); }
.place, .number, .time { font-variant-numeric: tabular-nums; }
th.number { width: 7rem; }
th.state { width: 9rem; }
th.when { width: 9.5rem; }
td.time { white-space: nowrap; }
td small, th small { display: block; color: var(--soft); font-weight: 400; }
figure { margin: .75rem 0 0; }
figcaption { color: var(--soft); font-size: .875rem; }
svg { display: block; width: 100%; height: 9rem; margin-top: .25rem; }
.bars rect { fill: var(--bar); }
.ticks rect { fill: var(--ok); }
.ticks .bad { fill: var(--bad); }
.ticks .warn { fill: var(--warn); }
.limit { stroke: var(--limit); stroke-dasharray: 6 5; stroke-width: 1.5; }
.grid { stroke: var(--line); stroke-width: 1; }
.limit, .grid { vector-effect: non-scaling-stroke; }
.hours {
  display: flex; justify-content: space-between; color: var(--soft); font-size: .8125rem;
  margin: .25rem 0 0; padding: 0; list-style: none; font-variant-numeric: tabular-nums;
}
@media (max-width: 40rem) {
  section { padding: .75rem .9rem; }
  .wide { display: none; }
  th, td { padding: .35rem .3rem; }
  th.state { width: 6.5rem; }
  th.when { width: 5.5rem; }
  td.time { white-space: normal; }
}
@media print { body { background: none; } section { break-inside: avoid; } }
"""
