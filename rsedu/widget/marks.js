// Lines, clicks, boxes and the cross-hair on a canvas. Joined with canvas.js by canvas.py.
//
// `drawn` is a 2-D context, pixels of the screen per CSS pixel, and per pixel of the scene.

// Okabe and Ito's palette, as in rsedu.plot; signs and dashes tell them apart too.
const COLOURS = { plus: '#0072B2', minus: '#D55E00', box: '#F0E442' };

// A line that is seen on bright and on dark ground.
function drawLine(context, path, ratio, colour, dash = []) {
  context.setLineDash([]);
  context.strokeStyle = 'rgba(0, 0, 0, 0.75)';
  context.lineWidth = 3.5 * ratio;
  context.stroke(path);
  context.setLineDash(dash.map((length) => length * ratio));
  context.strokeStyle = colour;
  context.lineWidth = 1.75 * ratio;
  context.stroke(path);
}

function drawStep(drawn, step) {
  if (step.do === 'box') drawBox(drawn, step);
  if (step.do === 'point') drawPoint(drawn, step);
}

function drawBox({ context, ratio, scale: [x, y] }, { left, top, right, bottom }) {
  const path = new Path2D();
  path.rect(left * x, top * y, (right - left) * x, (bottom - top) * y);
  drawLine(context, path, ratio, COLOURS.box, [7, 5]);
}

function drawPoint({ context, ratio, scale: [x, y] }, { col, row, positive }) {
  const [centre, middle, radius, arm] = [(col + 0.5) * x, (row + 0.5) * y, 7 * ratio, 4 * ratio];
  context.setLineDash([]);
  context.beginPath();
  context.arc(centre, middle, radius, 0, 2 * Math.PI);
  context.fillStyle = positive ? COLOURS.plus : COLOURS.minus;
  context.fill();
  context.strokeStyle = 'white';
  context.lineWidth = 2 * ratio;
  context.stroke();
  context.beginPath();
  context.moveTo(centre - arm, middle);
  context.lineTo(centre + arm, middle);
  if (positive) {
    context.moveTo(centre, middle - arm);
    context.lineTo(centre, middle + arm);
  }
  context.stroke();
}

function drawCross({ context, ratio, scale: [x, y] }, [col, row]) {
  const [centre, middle] = [(col + 0.5) * x, (row + 0.5) * y];
  const [gap, arm] = [5 * ratio, 16 * ratio];
  const path = new Path2D();
  for (const [right, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(centre + gap * right, middle + gap * down);
    path.lineTo(centre + arm * right, middle + arm * down);
  }
  drawLine(context, path, ratio, 'white');
}
