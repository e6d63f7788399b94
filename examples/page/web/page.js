// The page: says what is missing, or loads the module and the models and opens the panels.
import { asset, has } from "./assets.js";
import { Helper } from "./helper.js";
import { paintings, paintPanel } from "./panel_paint.js";
import { readPanel } from "./panel_read.js";
import { trainPanel } from "./panel_train.js";
import { walkPanel } from "./panel_walk.js";
import { missing } from "./support.js";

const element = (id) => document.getElementById(id);
const say = (text) => (element("state").textContent = text);

/** Where a worker comes from: beside the page, or out of it. */
function workerAddress() {
  const source = element("worker-source");
  return source ? URL.createObjectURL(new Blob([source.textContent], { type: "text/javascript" })) : "worker.js";
}

async function open() {
  const module = await WebAssembly.compile(await asset("eigan.wasm"));
  const address = workerAddress();
  const helper = new Helper(address, module);
  const load = async (name) => helper.ask("load", { name, bytes: await asset(name + ".safetensors") });

  await load("recogniser");
  readPanel(element("read"), helper);
  const generator = await load("generator");
  walkPanel(element("walk"), helper, generator.input[0]);
  for (const name of Object.keys(paintings)) {
    if (!has(name + ".safetensors")) continue;
    const panel = document.createElement("section");
    panel.id = name;
    element("train").before(panel);
    paintPanel(panel, helper, name, await load(name));
  }
  trainPanel(element("train"), () => new Helper(address, module));
}

async function begin() {
  const lacking = missing();
  if (lacking) {
    element("lacking").textContent = lacking;
    element("sorry").hidden = false;
    return say("");
  }
  try {
    await open();
    element("panels").hidden = false;
    document.body.dataset.ready = "yes";
    say("");
  } catch (error) {
    say("The page could not start: " + error.message);
  }
}
begin();
