// The panel where one walks through the latent space of a generator of digits: sliders for its numbers, and a map of a plane
// through the point where they stand, on which one draws the way.
import { addButtons, milliseconds, savePicture, show } from "./canvas.js";
import { latest } from "./helper.js";
import { Path } from "./path.js";

const digitSide = 28;
const reach = 2.5; // of a slider; a normal number is rarely further from 0
const grid = 9; // digits in a row of the map
const frames = 12; // of a way

export function walkPanel(panel, helper, size) {
  const find = (name) => panel.querySelector(name);
  const say = (text) => (find("output").textContent = text);
  const narrow = matchMedia("(max-width: 40rem)");
  const z = new Float32Array(size);
  const sliders = Array.from(z, (_, i) => makeSlider(i));
  const axes = [find(".across"), find(".down")];
  axes.forEach((axis, which) => {
    for (let i = 0; i < size; i++) axis.append(new Option(`number ${i + 1}`, i));
    axis.value = which;
    axis.onchange = () => changed();
  });
  const chosen = () => axes.map((axis) => Number(axis.value));
  const ask = (numbers, inARow) => helper.ask("draw", { name: "generator", numbers, inARow });

  function makeSlider(i) {
    const row = find(".slider-template").content.cloneNode(true);
    const input = row.querySelector("input");
    Object.assign(input, { min: -reach, max: reach, step: 0.05, value: 0 });
    row.querySelector("span").textContent = `number ${i + 1}`;
    input.oninput = () => {
      z[i] = input.valueAsNumber;
      changed(chosen().includes(i));
    };
    find(".sliders").append(row);
    return input;
  }

  /** The point with other numbers along the two axes of the map. */
  function moved([across, down]) {
    const point = z.slice();
    const [a, b] = chosen();
    point[a] = across;
    point[b] = down;
    return point;
  }
  const joined = (points) => {
    const all = new Float32Array(points.length * size);
    points.forEach((point, i) => all.set(point, i * size));
    return all;
  };

  const drawDigit = latest(async () => {
    const begun = performance.now();
    show(find(".digit"), await ask(z, 1), digitSide);
    say(`Drawn in ${milliseconds(begun)}.`);
  });
  const drawMap = latest(async () => {
    const place = (i) => reach * ((2 * i + 1) / grid - 1);
    const points = Array.from({ length: grid * grid }, (_, i) => moved([place(i % grid), place(Math.floor(i / grid))]));
    show(find(".map"), await ask(joined(points), grid), grid * digitSide);
  });
  const drawWay = latest(async () => {
    const points = path.places(frames);
    find(".way").hidden = points.length === 0;
    if (points.length === 0) return;
    const inARow = narrow.matches ? frames / 2 : frames;
    show(find(".way"), await ask(joined(points.map(moved)), inARow), inARow * digitSide);
  });

  const path = new Path(find(".plane"), {
    reach,
    moved(place) {
      chosen().forEach((axis, which) => {
        z[axis] = place[which];
        sliders[axis].value = place[which];
      });
      drawDigit();
    },
    drawn: () => drawWay(),
  });

  function changed(onMap = false) {
    path.stand(chosen().map((axis) => z[axis]));
    drawDigit();
    if (onMap) return;
    drawMap();
    drawWay();
  }
  function set(numbers) {
    numbers.forEach((number, i) => {
      z[i] = sliders[i].value = Math.min(Math.max(number, -reach), reach);
    });
    changed();
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let walking = 0;
  async function walk() {
    const points = path.places(still.matches ? frames : 10 * frames);
    if (points.length === 0) return say("Draw a way on the map first.");
    const mine = ++walking;
    for (const place of points) {
      if (mine !== walking) return;
      path.stand(place);
      path.moved(place);
      await new Promise((resolve) => setTimeout(resolve, still.matches ? 500 : 40));
    }
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  addButtons(find(".tools"), ["Another digit", "Middle", "Walk the way", "Save picture"], (name) => {
    if (name === "Another digit") set(Float32Array.from(z, normal));
    if (name === "Middle") set(new Float32Array(size));
    if (name === "Walk the way") walk();
    if (name === "Save picture") savePicture("generated.png", find(".digit"));
  });
  set(Float32Array.from(z, normal));
}
