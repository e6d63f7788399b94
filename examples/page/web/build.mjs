// Puts the page together: node build.mjs OUT ASSET...
// Writes to OUT index.html, page.css, page.js, worker.js and every asset packed by gzip; and page.html, which holds all of
// them in one file. A script's modules become one text, in the order in which they import each other.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const sources = dirname(fileURLToPath(import.meta.url));
const [out, ...assets] = process.argv.slice(2);
const source = (name) => readFileSync(join(sources, name), "utf8");

function bundle(name, done = new Set()) {
  if (done.has(name)) return "";
  done.add(name);
  const imports = /^import .* from "\.\/(.*)";\n/gm;
  const text = source(name);
  const before = [...text.matchAll(imports)].map(([, other]) => bundle(other, done)).join("");
  return before + text.replace(imports, "").replace(/^export /gm, "") + "\n";
}
const script = (name) => `"use strict";\n(() => {\n${bundle(name)}})();\n`;

/** A text inside <script>: nothing in it may end that. */
const inside = (text) => text.replaceAll("</script", "<\\/script");
const once = (text, from, to) => {
  if (text.split(from).length !== 2) throw new Error(`expected '${from}' once in page.html`);
  return text.replace(from, () => to);
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const write = (name, bytes) => writeFileSync(join(out, name), bytes);
const packed = assets.map((path) => ({ name: basename(path), bytes: gzipSync(readFileSync(path), { level: 9 }) }));
const names = packed.map(({ name }) => name).join(" ");
const html = once(source("page.html"), 'data-assets=""', `data-assets="${names}"`);

write("index.html", html);
write("page.css", source("page.css"));
write("page.js", script("page.js"));
write("worker.js", script("worker.js"));
for (const { name, bytes } of packed) write(name + ".gz", bytes);

let single = once(html, '<link rel="stylesheet" href="page.css">', `<style>\n${source("page.css")}</style>`);
single = once(single, "connect-src 'self'", "connect-src 'none'");
const held = packed.map(
  ({ name, bytes }) => `<script type="application/octet-stream" id="asset-${name}">${bytes.toString("base64")}</script>\n`,
);
single = once(
  single,
  '<script src="page.js" defer></script>',
  `${held.join("")}<script type="text/plain" id="worker-source">${inside(script("worker.js"))}</script>\n` +
    `<script>${inside(script("page.js"))}</script>`,
);
write("page.html", single);
