// What the page object in conftest.py asks of JupyterLab's own objects.
window.rseduLab = {
  run: null,
  deaths: [],

  panel() {
    if (!window.jupyterapp) return undefined;
    return [...jupyterapp.shell.widgets('main')].find((widget) => widget.sessionContext);
  },

  // null until the notebook is there with an idle kernel, or a dialog stands in the way.
  opened() {
    const dialog = document.querySelector('.jp-Dialog-content');
    if (dialog) return { dialog: dialog.innerText };
    const panel = this.panel();
    const kernel = panel?.sessionContext.session?.kernel;
    const ready = panel?.context.isReady && panel.content.widgets.length && kernel?.status === 'idle';
    return ready ? { dialog: null } : null;
  },

  watchKernel() {
    this.panel().sessionContext.statusChanged.connect((_, status) => {
      if (status === 'autorestarting' || status === 'dead') this.deaths.push(status);
    });
  },

  // Error outputs, those left from an earlier run excepted.
  errors() {
    const found = [];
    this.panel().content.widgets.forEach((cell, index) => {
      const outputs = cell.model.outputs;
      for (let i = 0; i < (outputs?.length ?? 0); i++) {
        const output = outputs.get(i);
        if (output.type !== 'error' || this.run?.stale.has(output)) continue;
        found.push({ cell: index, traceback: output.toJSON().traceback.join('\n'), output });
      }
    });
    return found;
  },

  // Follow the next run, whoever starts it: a call from here, a key or a button.
  expectRun() {
    this.run = null;
    const run = { done: false, stale: new Set(this.errors().map((error) => error.output)) };
    this.run = run;
    this.deaths.length = 0;
    const follow = (_, executed) => {
      if (!executed.id.startsWith('notebook:run')) return;
      jupyterapp.commands.commandExecuted.disconnect(follow);
      executed.result.finally(() => (run.done = true));
    };
    jupyterapp.commands.commandExecuted.connect(follow);
  },

  // null while the run goes on well, else what there is to know about its end.
  ended() {
    const errors = this.errors().map(({ cell, traceback }) => ({ cell, traceback }));
    if (!this.run.done && !errors.length && !this.deaths.length) return null;
    return { errors, deaths: this.deaths };
  },

  running() {
    const cells = this.panel().content.widgets;
    return cells.findIndex((cell) => cell.model.executionState === 'running');
  },

  restart() {
    return this.panel().sessionContext.session.kernel.restart();
  },

  activate(index) {
    const notebook = this.panel().content;
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    notebook.widgets[index].node.scrollIntoView({ block: 'center' });
  },

  // Open the cell's editor with `old` selected, so that the next key replaces it.
  select(index, old) {
    this.activate(index);
    const notebook = this.panel().content;
    const editor = notebook.widgets[index].editor;
    const start = editor.model.sharedModel.getSource().indexOf(old);
    if (start < 0) throw new Error(`cell ${index} does not hold ${JSON.stringify(old)}`);
    notebook.mode = 'edit';
    editor.focus();
    editor.setSelection({
      start: editor.getPositionAt(start),
      end: editor.getPositionAt(start + old.length),
    });
  },

  setSource(index, source) {
    this.panel().content.widgets[index].model.sharedModel.setSource(source);
  },

  // Each cell as a reader has it before them: its source, and the text and pictures shown.
  async cells() {
    const cells = this.panel().content.widgets;
    const images = cells.flatMap((cell) => [...cell.node.querySelectorAll('img')]);
    await Promise.all(images.map((image) => image.decode().catch(() => undefined)));
    return cells.map((cell, index) => {
      const shown = [...cell.node.querySelectorAll('.jp-OutputArea-output')];
      const rendered = cell.node.querySelector('.jp-MarkdownOutput');
      return {
        index,
        kind: cell.model.type,
        // A demonstration has an exercise's id too, but no points.
        exercise: cell.model.getMetadata('rsedu')?.points
          ? cell.model.getMetadata('rsedu').id
          : null,
        source: cell.model.sharedModel.getSource(),
        text: (rendered ? [rendered] : shown).map((node) => node.innerText.trim()).join('\n'),
        headings: [...(rendered?.querySelectorAll('h1,h2,h3,h4,h5,h6') ?? [])].map((heading) => [
          Number(heading.tagName[1]),
          heading.innerText,
        ]),
        images: [...cell.node.querySelectorAll('img')].filter(this.speaksForItself).map((image) => ({
          width: image.naturalWidth,
          height: image.naturalHeight,
          shown: image.getBoundingClientRect().width,
        })),
        alts: this.alts(cell),
      };
    });
  },

  // A widget's picture lies under a canvas that has a name, and is none of the cell's figures.
  speaksForItself(image) {
    return !image.parentElement.querySelector('[role="application"][aria-label]');
  },

  // JupyterLab drops the alternative text of pictures; what reads the file finds it there.
  alts(cell) {
    const outputs = cell.model.outputs?.toJSON() ?? [];
    const pictures = outputs.filter((output) => output.data?.['image/png']);
    return pictures.map((output) => output.metadata['image/png']?.alt ?? '');
  },

  // Scroll to the given viewport of the notebook; false where its cells have ended.
  turnTo(page) {
    const notebook = this.panel().content;
    const scroller = notebook.node.querySelector('.jp-WindowedPanel-outer');
    const last = notebook.widgets.at(-1).node.getBoundingClientRect().bottom;
    const top = page * scroller.clientHeight;
    const end = scroller.scrollTop + last - scroller.getBoundingClientRect().top;
    if (top >= end) return false;
    scroller.scrollTop = top;
    return true;
  },
};
