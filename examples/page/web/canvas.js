// canvas: pictures of the module on the screen, and files for the one who looks at them.

/** Shows RGBA bytes in a canvas of a width. */
export function show(canvas, rgba, width) {
  canvas.width = width;
  canvas.height = rgba.length / 4 / width;
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(rgba), width), 0, 0);
}

export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function savePicture(name, canvas) {
  canvas.toBlob((blob) => save(name, blob));
}

/** Times of an answer, and how they are told. */
export const milliseconds = (since) => `${Math.max(1, Math.round(performance.now() - since))} ms`;

/** The copy of a template, put into an element. */
export function fill(element, template) {
  element.append(document.getElementById(template).content.cloneNode(true));
  return element;
}

/** A row of buttons, by name. */
export function addButtons(row, names, pressed) {
  for (const name of names) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.onclick = () => pressed(name);
    row.append(button);
  }
}
