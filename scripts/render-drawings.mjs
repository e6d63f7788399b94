// Drawings of npm packages become pairs of PNGs, 128x128 pixels, transparent where nothing is drawn:
//   node scripts/render-drawings.mjs openmoji|fluent PACKAGES OUT
// PACKAGES is a folder of unpacked packages; OUT gets a/NAME.png, b/NAME.png and LICENCE. scripts/fetch-pictures calls it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [source, packages, out] = process.argv.slice(2);
const size = 128;

// Skin tones are the same drawings again; flags, letters and keys are learnt by heart or not at all; a company's mark is
// nobody's to redraw.
function* openmoji() {
  const folder = join(packages, "openmoji");
  const unwanted = /flag|keycap|alphanum|regional-indicator|skin-tone|brand/;
  for (const entry of JSON.parse(readFileSync(join(folder, "data/openmoji.json"), "utf8"))) {
    if (entry.skintone || unwanted.test(entry.subgroups)) continue;
    const svg = (kind) => readFileSync(join(folder, kind, "svg", `${entry.hexcode}.svg`), "utf8");
    yield [entry.hexcode, svg("black"), svg("color")];
  }
}

function* fluent() {
  const read = (name) => JSON.parse(readFileSync(join(packages, "@iconify-json", name, "icons.json"), "utf8"));
  const flat = read("fluent-emoji-flat"), shaded = read("fluent-emoji");
  const svg = (set, name) =>
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 ${set.width} ${set.height}">${set.icons[name].body}</svg>`;
  const tone = /-(light|medium-light|medium|medium-dark|dark)$/;
  const unwanted =
    /^(keycap|input)-|^(a|ab|b|o|p|cl|id|ng|ok|sos|vs|new|free|cool|up)-button|^japanese-.*-button$|^(?!.*mailbox).*(^|-)flags?$/;
  for (const name of Object.keys(flat.icons)) {
    if (!(name in shaded.icons) || tone.test(name) || unwanted.test(name)) continue;
    yield [name, svg(flat, name), svg(shaded, name)];
  }
}

const sources = {
  openmoji: [openmoji, "OpenMoji 17.0.0 is under CC BY-SA 4.0 (https://openmoji.org)"],
  fluent: [fluent, "Fluent Emoji of Microsoft is under the MIT licence"],
};
const [drawings, licence] = sources[source];
const resvg = join(packages, "@resvg/resvg-wasm");
const { initWasm, Resvg } = await import(pathToFileURL(join(resvg, "index.mjs")));
await initWasm(readFileSync(join(resvg, "index_bg.wasm")));
const png = (svg) => new Resvg(svg, { fitTo: { mode: "width", value: size } }).render().asPng();

for (const domain of ["a", "b"]) mkdirSync(join(out, domain), { recursive: true });
let count = 0;
for (const [name, a, b] of drawings()) {
  writeFileSync(join(out, "a", `${name}.png`), png(a));
  writeFileSync(join(out, "b", `${name}.png`), png(b));
  ++count;
}
writeFileSync(join(out, "LICENCE"), `${licence}\n`);
console.error(`render-drawings: ${count} pairs of ${size}x${size} pixels`);
