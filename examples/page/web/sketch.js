// Sketch: white paper to draw on in black, with pointer (mouse, finger, pen) or keys. What has been drawn is a list of items,
// of which the first `place` are shown: undo and redo move that number.

export class Sketch {
  /**
   * @param panel an element with the template "sketch" in it
   * @param side pixels of the paper's side; dot: of them, what the network sees as one pixel
   * @param brush width at first, in dots; changed: called after every change
   */
  constructor(panel, { side, dot, brush, label, changed }) {
    this.paper = panel.querySelector(".paper");
    this.paper.width = this.paper.height = side;
    this.paper.setAttribute("aria-label", label);
    this.pen = this.paper.getContext("2d", { willReadFrequently: true });
    this.cursor = panel.querySelector(".cursor");
    this.brush = panel.querySelector(".brush");
    this.brush.value = brush;
    this.eraser = panel.querySelector(".eraser");
    this.dot = dot;
    this.changed = changed;
    this.items = [];
    this.place = 0;
    this.at = { x: side / 2, y: side / 2 };
    this.stroke = null; // that is being drawn
    this.listenToPointer();
    this.listenToKeys();
    this.buttons = {};
    for (const action of ["undo", "redo", "clear"]) {
      this.buttons[action] = panel.querySelector("." + action);
      this.buttons[action].onclick = () => this[action]();
    }
    this.eraser.onclick = () => this.erase(!this.erases());
    this.show();
  }

  drawing() {
    return this.pen.getImageData(0, 0, this.paper.width, this.paper.height);
  }
  isEmpty() {
    const last = this.items[this.place - 1];
    return !last || last.lines.length === 0;
  }

  /** Strokes, a list of lists of points from 0 to 1, in place of what is there. */
  begin(strokes) {
    const side = this.paper.width;
    const lines = strokes.map((points) => ({
      width: this.width(),
      ink: "#000",
      points: points.map(([x, y]) => ({ x: x * side, y: y * side })),
    }));
    this.add({ clears: true, lines });
  }

  undo() {
    this.finish();
    if (this.place > 0) this.place -= 1;
    this.show();
  }
  redo() {
    if (this.place < this.items.length) this.place += 1;
    this.show();
  }
  clear() {
    if (!this.isEmpty()) this.add({ clears: true, lines: [] });
  }
  erases() {
    return this.eraser.getAttribute("aria-pressed") === "true";
  }
  erase(yes) {
    this.eraser.setAttribute("aria-pressed", yes);
  }

  add(item) {
    this.finish();
    this.items.length = this.place;
    this.items.push(item);
    this.place += 1;
    this.show();
  }

  width() {
    return this.brush.valueAsNumber * this.dot;
  }
  start(point, erases) {
    this.finish();
    this.stroke = { width: this.width(), ink: erases ? "#fff" : "#000", points: [point] };
    this.items.length = this.place;
    this.items.push({ lines: [this.stroke] });
    this.place += 1;
    this.show();
  }
  extend(point) {
    const points = this.stroke.points;
    points.push(point);
    this.segment(this.stroke, points.length - 1);
    this.changed();
  }
  finish() {
    this.stroke = null;
  }

  show() {
    this.pen.fillStyle = "#fff";
    this.pen.fillRect(0, 0, this.paper.width, this.paper.height);
    const first = this.items.slice(0, this.place).findLastIndex((item) => item.clears);
    for (const { lines } of this.items.slice(Math.max(first, 0), this.place))
      for (const line of lines) line.points.forEach((_, i) => this.segment(line, i));
    this.buttons.undo && this.enable();
    this.changed();
  }
  enable() {
    this.buttons.undo.disabled = this.place === 0;
    this.buttons.redo.disabled = this.place === this.items.length;
    this.buttons.clear.disabled = this.isEmpty();
  }
  /** From point i - 1 of a line to point i; each is drawn alone, so that a stroke looks the same when it is drawn again. */
  segment({ width, ink, points }, i) {
    const from = points[Math.max(i - 1, 0)];
    this.pen.lineWidth = width;
    this.pen.lineCap = "round";
    this.pen.strokeStyle = ink;
    this.pen.beginPath();
    this.pen.moveTo(from.x, from.y);
    this.pen.lineTo(points[i].x + (i === 0 ? 0.01 : 0), points[i].y); // a line of no length would leave no dot
    this.pen.stroke();
  }

  listenToPointer() {
    const paper = this.paper;
    let pointer = null;
    const point = (event) => {
      const box = paper.getBoundingClientRect();
      const times = paper.width / box.width;
      return { x: (event.clientX - box.left) * times, y: (event.clientY - box.top) * times };
    };
    paper.addEventListener("pointerdown", (event) => {
      if (pointer !== null || event.button > 0 && event.button !== 5) return;
      pointer = event.pointerId;
      paper.setPointerCapture(pointer);
      this.start(point(event), this.erases() || event.button === 5); // the other end of a pen
    });
    paper.addEventListener("pointermove", (event) => {
      if (event.pointerId !== pointer || !this.stroke) return;
      const between = event.getCoalescedEvents?.() ?? [];
      for (const one of between.length > 0 ? between : [event]) this.extend(point(one));
    });
    const end = (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      this.finish();
    };
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) paper.addEventListener(name, end);
  }

  /** Arrows move the cursor, space lowers and lifts the pen. */
  listenToKeys() {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.paper.addEventListener("keydown", (event) => {
      if (event.altKey || !this.key(event, steps[event.key])) return;
      event.preventDefault();
      this.showCursor();
    });
    for (const name of ["focus", "blur"]) this.paper.addEventListener(name, () => this.showCursor());
    this.paper.addEventListener("blur", () => this.finish());
  }
  /** Whether the key means something here. */
  key(event, step) {
    const command = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (command) {
      if (letter === "z") event.shiftKey ? this.redo() : this.undo();
      else if (letter === "y") this.redo();
      else return false;
    } else if (step) {
      const far = (event.shiftKey ? 4 : 1) * this.dot;
      const inside = (place) => Math.min(Math.max(place, 0), this.paper.width);
      this.at = { x: inside(this.at.x + step[0] * far), y: inside(this.at.y + step[1] * far) };
      if (this.stroke) this.extend(this.at);
    } else if (event.key === " ") {
      this.stroke ? this.finish() : this.start(this.at, this.erases());
    } else if (event.key === "Escape" && this.stroke) {
      this.finish();
    } else if (event.key === "Delete") {
      this.clear();
    } else if (letter === "e") {
      this.erase(!this.erases());
    } else if (letter === "+" || letter === "-") {
      letter === "+" ? this.brush.stepUp() : this.brush.stepDown();
    } else {
      return false;
    }
    return true;
  }
  showCursor() {
    const part = (place) => (100 * place) / this.paper.width + "%";
    this.cursor.style.left = part(this.at.x);
    this.cursor.style.top = part(this.at.y);
    this.cursor.classList.toggle("down", this.stroke !== null);
  }
}
