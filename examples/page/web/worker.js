// The worker: models by name, and one training. Each has an engine of its own.
import { Engine } from "./engine.js";

let module;
const engines = new Map();
const engine = (name) => {
  if (!engines.has(name)) throw new Error(`there is no model '${name}'`);
  return engines.get(name);
};

const answers = {
  load({ name, bytes }) {
    engines.set(name, new Engine(module, "load", bytes));
    return JSON.parse(new TextDecoder().decode(engine(name).result));
  },
  read({ name, drawing }) {
    const out = engine(name).call("read", drawing.data, drawing.height, drawing.width);
    return { probabilities: [...new Float32Array(out.buffer, 0, 10)], seen: out.slice(40) };
  },
  draw: ({ name, numbers, inARow }) => engine(name).call("draw", numbers, inARow),
  paint: ({ name, drawing, hard }) => engine(name).call("paint", drawing.data, drawing.height, drawing.width, hard ? 1 : 0),

  begin({ images, seed }) {
    engines.set("training", new Engine(module, "train", images, seed));
  },
  /** Trains until `stop` or `most` steps; tells means ten times a second, and a sheet every three seconds. */
  async train({ number, most }) {
    const training = engine("training");
    let count;
    let next = 1;
    let shown = 0; // when the last sheet was
    running = true;
    for (let done = 0; running && done < most; done += count) {
      const begun = performance.now();
      count = Math.min(next, most - done);
      const means = [...new Float64Array(training.call("train_steps", null, count).buffer)];
      const milliseconds = performance.now() - begun;
      const sheet = begun - shown > 3000 ? training.call("train_sheet") : null;
      if (sheet) shown = performance.now();
      postMessage({ number, tells: { count, means, milliseconds, sheet } });
      await new Promise((resolve) => setTimeout(resolve)); // to hear of `stop`
      next = Math.max(1, Math.round((count * 100) / milliseconds));
    }
    running = false;
    return training.call("train_sheet");
  },
  stop() {
    running = false;
  },
  file: () => engine("training").call("train_file"),
};
let running = false;

onmessage = async ({ data }) => {
  if (data.module) {
    module = data.module;
    return;
  }
  try {
    postMessage({ number: data.number, result: await answers[data.what](data) });
  } catch (error) {
    postMessage({ number: data.number, error: error.message });
  }
};
