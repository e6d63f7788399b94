// Path: a plane on which a point moves, by pointer or by arrow keys, and leaves a trace. Places are pairs of numbers from
// -reach to reach.

export class Path {
  /** moved: called with each new place; drawn: when a trace has ended */
  constructor(plane, { reach, moved, drawn }) {
    this.plane = plane;
    this.dot = plane.querySelector(".dot");
    this.trace = plane.querySelector("polyline");
    this.reach = reach;
    this.moved = moved;
    this.drawn = drawn;
    this.place = [0, 0];
    this.points = [];
    this.listen();
  }

  /** Moves the point, and tells nobody. */
  stand(place) {
    this.place = place;
    this.dot.setAttribute("cx", this.onScreen(place[0]));
    this.dot.setAttribute("cy", this.onScreen(place[1]));
    const [x, y] = place.map((number) => number.toFixed(2));
    this.plane.setAttribute("aria-label", `Map; the point is at ${x} across and ${y} down. Arrow keys move it.`);
  }
  onScreen(number) {
    return 50 + (50 * number) / this.reach;
  }
  go(place) {
    this.stand(place.map((number) => Math.min(Math.max(number, -this.reach), this.reach)));
    this.points.push(this.place);
    this.trace.setAttribute("points", this.points.map((p) => p.map((n) => this.onScreen(n)).join()).join(" "));
    this.moved(this.place);
  }

  /** So many places along the trace, equally far apart. */
  places(count) {
    const lengths = [0];
    for (let i = 1; i < this.points.length; i++) {
      const [a, b] = [this.points[i - 1], this.points[i]];
      lengths.push(lengths[i - 1] + Math.hypot(b[0] - a[0], b[1] - a[1]));
    }
    const whole = lengths.at(-1);
    if (!(whole > 0)) return [];
    return Array.from({ length: count }, (_, k) => {
      const length = (whole * k) / (count - 1);
      const i = Math.max(1, lengths.findIndex((l) => l >= length));
      const t = (length - lengths[i - 1]) / (lengths[i] - lengths[i - 1] || 1);
      return [0, 1].map((axis) => (1 - t) * this.points[i - 1][axis] + t * this.points[i][axis]);
    });
  }

  listen() {
    let pointer = null;
    const place = (event) => {
      const box = this.plane.getBoundingClientRect();
      const part = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      return part.map((p) => this.reach * (2 * p - 1));
    };
    this.plane.addEventListener("pointerdown", (event) => {
      if (pointer !== null || event.button !== 0) return;
      pointer = event.pointerId;
      this.plane.setPointerCapture(pointer);
      this.points = [];
      this.go(place(event));
    });
    this.plane.addEventListener("pointermove", (event) => {
      if (event.pointerId === pointer) this.go(place(event));
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
      this.plane.addEventListener(name, (event) => {
        if (event.pointerId !== pointer) return;
        pointer = null;
        this.drawn();
      });
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.plane.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (event.key === "Delete") this.points = [];
      else if (!step || event.altKey) return;
      event.preventDefault();
      if (step) this.go(this.place.map((number, axis) => number + 0.1 * step[axis] * (event.shiftKey ? 5 : 1)));
      else this.trace.setAttribute("points", "");
      this.drawn();
    });
  }
}
