// The panel where a drawn digit is read.
import { addButtons, fill, milliseconds, savePicture, show } from "./canvas.js";
import { digits } from "./examples.js";
import { latest } from "./helper.js";
import { Sketch } from "./sketch.js";

const paperSide = 224;

export function readPanel(panel, helper) {
  const find = (name) => panel.querySelector(name);
  fill(find(".sketch"), "sketch-template");
  const meters = Array.from({ length: 10 }, (_, digit) => {
    const row = fill(document.createElement("li"), "probability-template");
    find(".probabilities").append(row);
    row.querySelector(".digit").textContent = digit;
    row.querySelector("meter").setAttribute("aria-label", `probability of ${digit}`);
    return row;
  });
  const say = (text) => (find("output").textContent = text);

  function tell(probabilities) {
    meters.forEach((row, digit) => {
      const share = probabilities[digit];
      row.querySelector("meter").value = share;
      row.querySelector(".percent").textContent = (100 * share).toFixed(1) + " %";
      row.classList.toggle("best", share > 0 && share === Math.max(...probabilities));
    });
  }
  let sketch;
  const read = latest(async () => {
    if (!sketch) return;
    const begun = performance.now();
    if (sketch.isEmpty()) {
      tell(new Array(10).fill(0));
      find(".seen").hidden = true;
      return say("Draw a digit.");
    }
    try {
      const { probabilities, seen } = await helper.ask("read", { name: "recogniser", drawing: sketch.drawing() });
      tell(probabilities);
      show(find(".seen"), seen, 28);
      find(".seen").hidden = false;
      const best = Math.max(...probabilities);
      const digit = probabilities.indexOf(best);
      const name = digit === 8 ? "an 8" : `a ${digit}`;
      const sure = (best >= 0.8 ? "It is " : "Perhaps ") + name;
      say(`${sure}, ${(100 * best).toFixed(1)} %. Read in ${milliseconds(begun)}.`);
    } catch (error) {
      tell(new Array(10).fill(0));
      find(".seen").hidden = true;
      say(error.message[0].toUpperCase() + error.message.slice(1) + ".");
    }
  });
  sketch = new Sketch(panel, { side: paperSide, dot: 8, brush: 2, label: "Paper for a digit", changed: () => read() });
  addButtons(find(".examples"), Object.keys(digits), (name) => sketch.begin(digits[name]));
  find(".save").onclick = () => savePicture("digit.png", sketch.paper);
  read();
}
