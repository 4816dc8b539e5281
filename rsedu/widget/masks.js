// Masks as they come from the kernel, and as the page shows them. Joined with canvas.js by canvas.py.

// Okabe and Ito's palette, as in rsedu.plot: kept masks, and above them the one at hand.
const LAYERS = ['#E69F00', '#56B4E9'];

// One bit per pixel, row by row, the first in the highest -> one byte, within a ring of zeros.
function unpack(view, cols, rows) {
  if (!view?.byteLength) return null;
  const wide = cols + 2;
  const set = new Uint8Array(wide * (rows + 2));
  for (let row = 0, bit = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++, bit++) {
      set[(row + 1) * wide + col + 1] = (view.getUint8(bit >> 3) >> (7 - (bit & 7))) & 1;
    }
  }
  return set;
}

// Where a mask changes, along the edges of its pixels.
function outline(set, cols, rows) {
  const path = new Path2D();
  const trace = (lines, length, across, along, at) => {
    for (let line = 0; line <= lines; line++) {
      const first = (line + 1) * across + along;
      let start = -1;
      for (let step = 0; step <= length; step++) {
        const pixel = first + step * along;
        const edge = step < length && set[pixel] !== set[pixel - across];
        if (edge && start < 0) start = step;
        if (!edge && start >= 0) {
          path.moveTo(...at(line, start));
          path.lineTo(...at(line, step));
          start = -1;
        }
      }
    }
  };
  trace(rows, cols, cols + 2, 1, (row, col) => [col, row]);
  trace(cols, rows, 1, cols + 2, (col, row) => [col, row]);
  return path;
}

// Fill a canvas that has the masks' own pixels; the page scales it, and makes it transparent.
function fill(canvas, masks, cols, rows) {
  // Setting a size, even the same, throws away the canvas's memory.
  if (canvas.width !== cols) canvas.width = cols;
  if (canvas.height !== rows) canvas.height = rows;
  const context = canvas.getContext('2d');
  const image = context.createImageData(cols, rows);
  const pixels = new Uint32Array(image.data.buffer);
  masks.forEach((set, layer) => {
    if (!set) return;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(LAYERS[layer].slice(at, at + 2), 16));
    const colour = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    for (let row = 0; row < rows; row++) {
      const first = (row + 1) * (cols + 2) + 1;
      for (let col = 0; col < cols; col++) if (set[first + col]) pixels[row * cols + col] = colour;
    }
  });
  context.putImageData(image, 0, 0);
}
