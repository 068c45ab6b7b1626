import { escapeHtml } from '../templates/escape-html.ts';

/** HTML that was escaped where it had to be; made by `html` and `raw` alone. */
export type Html = { readonly html: string };

type Part = string | number | Html | readonly Html[];

/** A piece of HTML: what is filled in is escaped, unless it is such a piece itself. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const pieces = texts.map((text, index) => {
    const part = parts[index];
    return text + (part === undefined ? '' : pieceOf(part));
  });
  return { html: pieces.join('') };
}

/** For what escapes by itself, such as a plot. */
export function raw(text: string): Html {
  return { html: text };
}

function pieceOf(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'html' in part ? part.html : part.map((one) => one.html).join('\n');
}

/** A page of its own: no script, nothing from elsewhere, for light and dark, for screens and paper. */
export function page(title: string, body: Html): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body.html}
</body>
</html>
`;
}

const STYLE = `
:root { --ink: #1c2430; --soft: #59636f; --paper: #fbfbfa; --card: #fff; --edge: #d8dde3; --grid: #e7eaee;
  --line: #0b5cad; --band: #0b5cad2b; --bad: #b3261e; --beyond: #b3261e14; --good: #14692f; --warn: #7a4d00; --mark: #59636f }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ed; --soft: #a3adb8; --paper: #14181d; --card: #1b2027;
  --edge: #343c46; --grid: #2a313a; --line: #79b8ff; --band: #79b8ff33; --bad: #ff9b91; --beyond: #ff9b911c;
  --good: #7fd99a; --warn: #f0c26b; --mark: #a3adb8 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--edge) }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem }
p { margin: .4rem 0 } ul { margin: .4rem 0; padding-left: 1.3rem }
.soft { color: var(--soft) } .good { color: var(--good) } .bad { color: var(--bad) } .warn { color: var(--warn) }
.state { display: inline-block; padding: .1rem .6rem; border: 1.5px solid currentColor; border-radius: 1rem;
  font-weight: 650; font-size: .9rem; margin-right: .5rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.1rem 0 }
.tile { background: var(--card); border: 1px solid var(--edge); border-radius: .5rem; padding: .6rem .8rem }
.tile b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.tile span { color: var(--soft); font-size: .85rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--edge);
  overflow-wrap: anywhere }
th { color: var(--soft); font-weight: 600 } th[scope=row] { color: var(--ink); min-width: 9rem }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } td.t { white-space: nowrap; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0; background: var(--card); border: 1px solid var(--edge); border-radius: .5rem; padding: .8rem; overflow-x: auto }
figcaption { font-size: .9rem; margin-bottom: .4rem } figcaption code { font-size: .85rem; color: var(--soft); overflow-wrap: anywhere }
svg { display: block; width: 100%; min-width: 34rem; height: auto } svg text { font: 11px system-ui, "DejaVu Sans", sans-serif }
.grid { stroke: var(--grid) } .tick { fill: var(--soft) } .label { fill: var(--ink) }
.line { fill: none; stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round } .band { fill: var(--band) }
.threshold { stroke: var(--bad); stroke-width: 1.6; stroke-dasharray: 7 4 } .beyond { fill: var(--beyond) }
.breach { fill: var(--card); stroke: var(--bad); stroke-width: 1.4 } .mark { stroke: var(--mark); stroke-dasharray: 2 3 }
.bar { fill: var(--line) } .bar.before { fill: var(--edge) }
.room { min-height: 3.2rem; border: 1px dashed var(--edge); border-radius: .4rem; padding: .45rem .7rem; background: var(--card) }
.room:focus { outline: 2px solid var(--line) }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem }
details { margin: .5rem 0; border: 1px solid var(--edge); border-radius: .5rem; background: var(--card); padding: .1rem .8rem }
summary { cursor: pointer; padding: .35rem 0; overflow-wrap: anywhere } details details { border: 0; padding: 0; margin: 0 }
details details summary { padding: .1rem 0 } summary:focus-visible { outline: 2px solid var(--line) }
ul.plain { list-style: none; padding: 0; margin: .2rem 0 .6rem } ul.plain li { padding: .15rem 0; border-top: 1px solid var(--grid) }
code { font: .88em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
pre { margin: .2rem 0 .6rem; padding: .4rem .6rem; overflow-x: auto; background: var(--paper); border-radius: .35rem; font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace }
@media print { body { max-width: none; padding: 0; background: #fff } figure, tr, .tile { break-inside: avoid } }
`;
