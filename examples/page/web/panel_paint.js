// A panel where a network makes a picture of a drawing: one for each model of image_to_image that the page was built with.
import { addButtons, fill, milliseconds, savePicture, show } from "./canvas.js";
import { drawings, garments } from "./examples.js";
import { latest } from "./helper.js";
import { Sketch } from "./sketch.js";

/**
 * Models by name, and what one draws for them. line: how wide the lines are that they have learnt from, as a part of the
 * picture's side; hard: these have no shades.
 */
export const paintings = {
  edges2fashion: {
    title: "Draw edges, see a garment",
    text: "A network that learnt from the edges of Fashion-MNIST's garments fills in what lies between.",
    hard: true,
    line: 2 / 28,
    examples: garments,
  },
  outline2fluent: {
    title: "Draw an outline, see the emoji coloured",
    text: "A network that learnt from outlines of Fluent emoji colours your drawing.",
    line: 0.8 / 32,
    examples: drawings,
  },
  outline2emoji: {
    title: "Draw an outline, see the emoji coloured as OpenMoji's",
    text: "A network that learnt from OpenMoji's outlines, CC BY-SA 4.0, colours your drawing.",
    line: 2 / 72,
    examples: drawings,
  },
};

export function paintPanel(panel, helper, name, { input, output }) {
  const { title, text, hard = false, line, examples } = paintings[name];
  const find = (part) => panel.querySelector(part);
  fill(panel, "paint-template");
  panel.setAttribute("aria-labelledby", name + "-title");
  find("h2").id = name + "-title";
  find("h2").textContent = title;
  find(".about").textContent = text;
  fill(find(".sketch"), "sketch-template");
  const side = input[1];
  const dot = Math.max(1, Math.round(256 / side));
  let sketch;
  const paint = latest(async () => {
    if (!sketch) return;
    const begun = performance.now();
    try {
      show(find(".picture"), await helper.ask("paint", { name, drawing: sketch.drawing(), hard }), output[2]);
      find("output").textContent = `Painted in ${milliseconds(begun)}.`;
    } catch (error) {
      find("output").textContent = error.message;
    }
  });
  sketch = new Sketch(panel, { side: side * dot, dot, brush: line * side, label: "Paper: " + title, changed: () => paint() });
  addButtons(find(".examples"), Object.keys(examples), (example) => sketch.begin(examples[example]));
  find(".save").onclick = () => savePicture(name + "_drawing.png", sketch.paper);
  find(".save-picture").onclick = () => savePicture(name + ".png", find(".picture"));
  sketch.begin(Object.values(examples)[0]);
}
