// assets: the module, the models and the images of the page, by name. They lie beside the page, or in it where it is one
// file; packed by gzip either way, unless a server has unpacked them already.

const inside = (name) => document.getElementById("asset-" + name);

async function stored(name) {
  if (inside(name)) return Uint8Array.from(atob(inside(name).textContent.trim()), (c) => c.charCodeAt(0));
  const answer = await fetch(name + ".gz");
  if (!answer.ok) throw new Error(`${name}.gz could not be loaded: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

export async function asset(name) {
  const bytes = await stored(name);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/** Whether the page was built with it. */
export const has = (name) => document.documentElement.dataset.assets.split(" ").includes(name);
