// Chart: two losses over the steps, as lines.

const width = 300;
const height = 120;
const top = 3; // of a loss that is shown
const most = 300; // points of a line; where there would be more, every second one is left out

export class Chart {
  constructor(svg) {
    this.svg = svg;
    this.lines = ["d", "g"].map((name) => svg.querySelector(".line-" + name));
    this.clear();
  }
  clear() {
    this.points = [];
    this.every = 1;
    this.added = 0;
    this.show();
  }
  add(step, ...losses) {
    if (this.added++ % this.every !== 0) return;
    this.points.push([step, ...losses]);
    if (this.points.length > most) {
      this.points = this.points.filter((_, i) => i % 2 === 0);
      this.every *= 2;
    }
    this.show();
  }
  show() {
    const last = this.points.at(-1) ?? [1, 0, 0];
    this.lines.forEach((line, i) => {
      const x = (point) => ((width * point[0]) / last[0]).toFixed(1);
      const y = (point) => (height * (1 - Math.min(point[i + 1], top) / top)).toFixed(1);
      line.setAttribute("points", this.points.map((point) => `${x(point)},${y(point)}`).join(" "));
    });
    const text = this.points.length === 0 ? "no losses yet" :
      `after ${last[0]} steps the discriminator's loss is ${last[1].toFixed(2)}, the generator's ${last[2].toFixed(2)}`;
    this.svg.setAttribute("aria-label", "Losses: " + text);
  }
}
