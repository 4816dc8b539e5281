// The picture that a Prompter shows. It draws what Python says, and says what the user did.
//
// Python owns the prompts and the masks. Whatever is done here becomes an event with a number, in
// a list that only this side writes; Python answers with the number of the last one it has taken.
// What is not answered yet stays in the list, so a busy kernel delays clicks and never loses one.

const DRAG_PX = 4; // a pointer that moves less than this has clicked
const BUSY_MS = 300; // a wait that a user starts to notice
const KEYS = [
  ['arrows', 'move (Shift: by 10)'],
  ['Enter', 'object'],
  ['N', 'background'],
  ['B', 'box corner'],
  ['U', 'undo'],
  ['Esc', 'clear'],
  ['1 2 3', 'mask'],
  ['K', 'keep'],
  ['E', 'export'],
];

// What the buttons round the picture do, by their class.
const BUTTONS = ['undo', 'clear', 'choose', 'keep', 'export'];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function element(tag, name, parent, attributes = {}) {
  const made = document.createElement(tag);
  made.className = `rsedu-${name}`;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

function waiting(model) {
  return model.get('events').filter((event) => event.id > model.get('taken'));
}

function send(model, command) {
  const open = waiting(model);
  const id = (open.at(-1)?.id ?? model.get('taken')) + 1;
  model.set('events', [...open, { id, ...command }]);
  model.save_changes();
}

class View {
  constructor(model, el) {
    this.model = model;
    this.cols = model.get('cols');
    this.rows = model.get('rows');
    this.cross = null; // [col, row] once a key has moved it
    this.corner = null; // where a box of the keyboard starts
    this.drag = null;
    this.build(el);
    this.listen();
    this.read();
  }

  build(el) {
    const { model } = this;
    this.root = element('div', 'prompter', el, { 'data-jp-suppress-context-menu': '' });
    this.stage = element('div', 'stage', this.root);
    this.stage.style.width = `min(100%, ${model.get('width_px')}px)`;
    this.stage.style.aspectRatio = `${this.cols} / ${this.rows}`;
    this.picture = element('img', 'picture', this.stage, { alt: '', draggable: 'false' });
    this.overlay = element('canvas', 'overlay', this.stage);
    this.lines = element('canvas', 'lines', this.stage);
    this.marks = element('canvas', 'marks', this.stage, {
      tabindex: '0',
      role: 'application',
      'aria-roledescription': 'image to mark',
      'aria-label': `Image of ${this.cols} by ${this.rows} pixels. Arrow keys move a cross-hair.`,
      'aria-keyshortcuts': 'Enter N B U Control+Z Escape 1 2 3 K E',
    });
    this.status = element('p', 'status', this.root, { role: 'status', 'aria-live': 'polite' });
    this.error = element('p', 'error', this.root, { role: 'alert' });
    this.legend();
    this.url = URL.createObjectURL(new Blob([model.get('picture')], { type: model.get('picture_type') }));
    this.picture.src = this.url;
  }

  legend() {
    const legend = element('p', 'legend', this.root);
    const entries = [
      ['plus', '+', 'object: click'],
      ['minus', '\u2212', 'background: Shift or right click'],
      ['box', '', 'box: drag'],
      ['mask', '', 'mask'],
      ['kept', '', 'kept'],
    ];
    for (const [name, sign, text] of entries) {
      const entry = element('span', 'entry', legend);
      element('span', `key rsedu-key-${name}`, entry, { 'aria-hidden': 'true' }).textContent = sign;
      entry.append(text);
    }
    const help = element('p', 'help', this.root, { id: `rsedu-help-${Math.random().toString(36).slice(2)}` });
    help.append('Keys on the image: ');
    for (const [key, does] of KEYS) {
      const entry = element('span', 'entry', help);
      element('kbd', 'kbd', entry).textContent = key;
      entry.append(does);
    }
    this.marks.setAttribute('aria-describedby', help.id);
  }

  listen() {
    const on = (name, react) => this.marks.addEventListener(name, (event) => react.call(this, event));
    on('pointerdown', this.press);
    on('pointermove', this.move);
    on('pointerup', this.release);
    on('pointercancel', () => this.drop());
    on('contextmenu', (event) => this.swallow(event));
    on('keydown', this.key);
    on('focus', this.enter);
    on('blur', () => this.paintMarks());
    window.addEventListener('keydown', this.guard, true);
    window.addEventListener('click', this.push, true);
    this.resized = new ResizeObserver(() => {
      this.paintLines();
      this.paintMarks();
    });
    this.resized.observe(this.stage);
    this.reactions = {
      'change:seq': () => this.read(),
      'change:opacity': () => this.paintLines(),
      'change:events': () => this.wait(),
      'change:error': () => this.tell(),
    };
    for (const [name, react] of Object.entries(this.reactions)) this.model.on(name, react);
  }

  close() {
    for (const [name, react] of Object.entries(this.reactions)) this.model.off(name, react);
    window.removeEventListener('keydown', this.guard, true);
    window.removeEventListener('click', this.push, true);
    this.resized.disconnect();
    clearTimeout(this.timer);
    URL.revokeObjectURL(this.url);
  }

  // JupyterLab cuts the cell on X and deletes it on D D, unless the element with the focus forbids
  // it. Its keys with Ctrl, to save for example, go on working.
  guard = (event) => {
    if (event.target !== this.marks) return;
    const ours = !(event.ctrlKey || event.metaKey) || event.key === 'z';
    this.marks.toggleAttribute('data-lm-suppress-shortcuts', ours);
  };

  // A button's own message would overtake clicks that wait for a busy kernel: it becomes an event.
  push = (event) => {
    const button = event.target.closest?.('button');
    if (!button || !this.root.closest('.rsedu-all')?.contains(button)) return;
    const does = BUTTONS.find((name) => button.closest(`.rsedu-do-${name}`));
    if (!does) return;
    this.swallow(event);
    this.command(does, [...button.parentElement.querySelectorAll('button')].indexOf(button));
  };

  command(does, index) {
    const label = this.model.get('label');
    const told = { choose: { index }, keep: { label }, export: { label } }[does];
    send(this.model, { do: does, ...told });
  }

  // What Python has answered, all of it in one message that ends with a new `seq`.
  read() {
    const { model } = this;
    const [cols, rows] = [model.get('mask_cols'), model.get('mask_rows')];
    const bits = [model.get('kept'), model.get('mask')];
    if (bits.some((view, at) => view !== this.bits?.[at])) {
      this.bits = bits;
      const masks = bits.map((view) => unpack(view, cols, rows));
      fill(this.overlay, masks, cols, rows);
      this.outlines = masks.map((set) => set && outline(set, cols, rows));
      this.paintLines();
    }
    this.tell();
    this.wait();
    this.root.dataset.taken = model.get('taken');
    this.root.dataset.seq = model.get('seq');
  }

  tell() {
    this.status.textContent = this.model.get('status');
    this.error.textContent = this.model.get('error');
  }

  wait() {
    clearTimeout(this.timer);
    const busy = waiting(this.model).length > 0;
    if (!busy) this.root.classList.remove('rsedu-busy');
    else {
      this.timer = setTimeout(() => {
        this.root.classList.add('rsedu-busy');
        const gone = this.root.closest('.jupyter-widgets-disconnected');
        this.status.textContent = gone ? 'The kernel is gone: run the cell again.' : 'Working ...';
      }, BUSY_MS);
    }
    this.marks.setAttribute('aria-busy', busy);
    this.paintMarks();
  }

  // A cleared context in pixels of the screen, and how many of them a pixel of the scene has.
  fresh(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.stage.clientWidth * ratio));
    const height = Math.max(1, Math.round((this.stage.clientWidth * this.rows * ratio) / this.cols));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, ratio, scale: [width / this.cols, height / this.rows] };
  }

  paintLines() {
    this.overlay.style.opacity = this.model.get('opacity');
    const { context, ratio } = this.fresh(this.lines);
    const matrix = new DOMMatrix();
    matrix.scaleSelf(this.lines.width / this.overlay.width, this.lines.height / this.overlay.height);
    this.outlines?.forEach((outline, layer) => {
      if (!outline) return;
      const path = new Path2D();
      path.addPath(outline, matrix);
      drawLine(context, path, ratio, LAYERS[layer]);
    });
  }

  paintMarks() {
    const drawn = this.fresh(this.marks);
    const { context } = drawn;
    for (const step of this.model.get('prompts')) drawStep(drawn, step);
    context.globalAlpha = 0.6;
    for (const step of waiting(this.model)) drawStep(drawn, step);
    context.globalAlpha = 1;
    const box = this.preview();
    if (box) drawStep(drawn, box);
    if (this.cross && this.marks.matches(':focus')) drawCross(drawn, this.cross);
  }

  // Pixel of the scene under the pointer, at any size that the page gives the picture.
  pixel(event) {
    const { left, top, width, height } = this.marks.getBoundingClientRect();
    return [
      clamp(Math.floor(((event.clientX - left) * this.cols) / width), 0, this.cols - 1),
      clamp(Math.floor(((event.clientY - top) * this.rows) / height), 0, this.rows - 1),
    ];
  }

  // The box from pixel to pixel, both of them inside.
  between([fromCol, fromRow], [toCol, toRow]) {
    return {
      do: 'box',
      left: Math.min(fromCol, toCol),
      top: Math.min(fromRow, toRow),
      right: Math.max(fromCol, toCol) + 1,
      bottom: Math.max(fromRow, toRow) + 1,
    };
  }

  preview() {
    if (this.drag?.moved) return this.between(this.drag.start, this.drag.now);
    return this.corner && this.between(this.corner, this.cross);
  }

  swallow(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  press(event) {
    if (event.button !== 0 && event.button !== 2) return;
    this.swallow(event);
    const start = this.pixel(event);
    const other = event.button === 2 || event.shiftKey || event.ctrlKey;
    const positive = !other && this.model.get('sign') === 0;
    this.drag = { start, now: start, x: event.clientX, y: event.clientY, positive, moved: false };
    this.marks.focus({ preventScroll: true });
    this.marks.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.drag) return;
    const far = Math.hypot(event.clientX - this.drag.x, event.clientY - this.drag.y) > DRAG_PX;
    this.drag.moved ||= far;
    this.drag.now = this.pixel(event);
    if (this.drag.moved) this.paintMarks();
  }

  release(event) {
    if (!this.drag) return;
    this.swallow(event);
    this.move(event);
    const { start: [col, row], positive, moved } = this.drag;
    const box = this.preview();
    this.drop();
    this.cross = null;
    this.corner = null;
    send(this.model, moved ? box : { do: 'point', col, row, positive });
  }

  drop() {
    this.drag = null;
    this.paintMarks();
  }

  key(event) {
    const command = event.ctrlKey || event.metaKey;
    if (event.altKey || (command && event.key !== 'z')) return;
    const key = command ? 'u' : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = this.action(key, event.shiftKey);
    if (!act) return;
    this.swallow(event);
    if (event.repeat && !key.startsWith('Arrow')) return; // a key held down is one click
    act();
    this.paintMarks();
  }

  action(key, shift) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (key in arrows) return () => this.steer(arrows[key], shift ? 10 : 1);
    if (key === 'Escape' && this.drag) return () => this.drop();
    if (key === 'Escape' && this.corner) return () => (this.corner = null);
    return {
      Enter: () => this.place(true),
      n: () => this.place(false),
      b: () => this.corners(),
      u: () => this.command('undo'),
      Escape: () => this.command('clear'),
      1: () => this.command('choose', 0),
      2: () => this.command('choose', 1),
      3: () => this.command('choose', 2),
      k: () => this.command('keep'),
      e: () => this.command('export'),
    }[key];
  }

  // Whoever comes by key sees where the cross-hair is.
  enter() {
    if (!this.drag && this.marks.matches(':focus-visible')) this.at();
    this.paintMarks();
  }

  // The cross-hair, in the middle of the picture until it is moved.
  at() {
    return (this.cross ??= [Math.floor(this.cols / 2), Math.floor(this.rows / 2)]);
  }

  steer([right, down], by) {
    const [col, row] = this.at();
    this.cross = [clamp(col + by * right, 0, this.cols - 1), clamp(row + by * down, 0, this.rows - 1)];
    this.status.textContent = `Column ${this.cross[0]}, row ${this.cross[1]}.`;
  }

  // A cross-hair that is not seen is shown first: nothing is clicked that nobody aimed at.
  place(positive) {
    if (!this.cross) return this.steer([0, 0], 0);
    const [col, row] = this.cross;
    send(this.model, { do: 'point', col, row, positive });
  }

  corners() {
    if (!this.cross) return this.steer([0, 0], 0);
    const here = this.cross;
    if (this.corner) send(this.model, this.between(this.corner, here));
    this.corner = this.corner ? null : here;
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.close();
  },
};
