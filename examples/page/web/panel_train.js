// The panel where a GAN is trained, in a worker of its own.
import { save, show } from "./canvas.js";
import { asset } from "./assets.js";
import { Chart } from "./chart.js";

const sheetSide = 280;
const seed = 1;

/** @param newHelper makes a worker */
export function trainPanel(panel, newHelper) {
  const find = (name) => panel.querySelector(name);
  const [start, reset, keep] = ["start", "reset", "keep"].map((name) => find("." + name));
  const say = (text) => (find("output").textContent = text);
  const chart = new Chart(find(".chart"));
  let helper = null;
  let running = false;
  let steps = 0;
  let seconds = 0;

  function tell({ count, means, milliseconds, sheet }) {
    steps += count;
    seconds += milliseconds / 1000;
    const [d, g, real, fake] = means;
    chart.add(steps, d, g);
    const numbers = { steps, seconds: seconds.toFixed(1), d: d.toFixed(3), g: g.toFixed(3), real: real.toFixed(2), fake: fake.toFixed(2) };
    for (const [name, value] of Object.entries(numbers)) find(".value-" + name).textContent = value;
    if (sheet) draw(sheet);
  }
  function draw(sheet) {
    show(find(".sheet"), sheet, sheetSide);
    find(".sheet").setAttribute("aria-label", `A hundred digits that the generator draws after ${steps} steps`);
  }
  function buttons() {
    start.textContent = running ? "Pause" : steps > 0 ? "Go on" : "Start";
    reset.disabled = helper === null;
    keep.disabled = steps === 0 || running;
  }

  async function train() {
    const begins = !helper;
    const mine = (helper ??= newHelper());
    running = true;
    buttons();
    try {
      if (begins) {
        say("Unpacking the images …");
        await mine.ask("begin", { images: await asset("digits.idx"), seed });
      }
      if (mine !== helper) return; // there was a reset
      say("Training. It can be paused at any time.");
      const most = Number(panel.dataset.steps ?? Infinity);
      draw(await mine.ask("train", { most }, tell));
      say(`Paused after ${steps} steps.`);
    } catch (error) {
      say(error.message);
    }
    running = false;
    buttons();
  }

  start.onclick = () => {
    if (running) helper.ask("stop");
    else train();
  };
  reset.onclick = () => {
    helper?.worker.terminate();
    helper = null;
    running = false;
    steps = seconds = 0;
    chart.clear();
    for (const value of panel.querySelectorAll("[class^=value-]")) value.textContent = "–";
    find(".sheet").width = sheetSide;
    say("Nothing is trained yet.");
    buttons();
  };
  keep.onclick = async () => save("generator.safetensors", new Blob([await helper.ask("file")]));
  buttons();
}
