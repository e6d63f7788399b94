// How long it takes from a stroke's point to the picture of it: node tests/page/measure.mjs [POINTS]
// In the page: from the pointer's event to the frame after the answer has been drawn.
import { launch, open, places, press } from "./browser.mjs";

const points = Number(process.argv[2] ?? 100);
const browser = await launch();
const page = await open(browser);
console.log(await browser.version());
for (const panel of ["read", "edges2fashion", "outline2fluent", "outline2emoji"]) {
  if (!(await page.$("#" + panel))) continue;
  await places(page, `#${panel} .paper`, [[0, 0]]);
  await press(page, "#" + panel, "Clear");
  const times = await page.evaluate(
    async (id, count) => {
      const paper = document.querySelector(`#${id} .paper`);
      const output = document.querySelector(`#${id} output`);
      const box = paper.getBoundingClientRect();
      paper.setPointerCapture = () => {};
      const send = (type, i) =>
        paper.dispatchEvent(
          new PointerEvent(type, {
            pointerId: 1,
            clientX: box.left + box.width * (0.5 + 0.25 * Math.sin(i / 10)),
            clientY: box.top + box.height * (0.2 + (0.6 * i) / count),
          }),
        );
      const times = [];
      send("pointerdown", 0);
      for (let i = 0; i < count; i++) {
        await new Promise((done) => setTimeout(done, 50));
        const told = new Promise((done) => {
          const observer = new MutationObserver(() => (observer.disconnect(), done()));
          observer.observe(output, { childList: true, characterData: true, subtree: true });
        });
        const begun = performance.now();
        send("pointermove", i);
        await told;
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - begun);
      }
      send("pointerup", count);
      return times.sort((a, b) => a - b);
    },
    panel,
    points,
  );
  const at = (part) => times[Math.floor(part * (times.length - 1))].toFixed(1);
  console.log(`${panel}: median ${at(0.5)} ms, nine of ten within ${at(0.9)} ms, least ${at(0)} ms`);
}
await browser.close();
