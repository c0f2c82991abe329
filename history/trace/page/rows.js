// The list of steps: only those rows exist that are to be seen, however many steps there are.

const LIST = document.getElementById('list');
const ROWS = document.getElementById('rows');
const SPACE = document.getElementById('space');
const ROW = 28;
const BEYOND = 8;
let shown = [];
let fitting = 0;
let selected = null;

/** Find out which steps are to be shown, and show them. */
function refreshRows() {
  ({ shown, fitting } = shownSteps());
  SPACE.style.height = `${shown.length * ROW}px`;
  drawTimeline();
}

function drawRows() {
  const first = Math.max(0, Math.floor(ROWS.scrollTop / ROW) - BEYOND);
  const last = Math.min(shown.length, Math.ceil((ROWS.scrollTop + ROWS.clientHeight) / ROW) + BEYOND);
  if (follows) zoomToView(shown.slice(Math.ceil(ROWS.scrollTop / ROW), Math.floor((ROWS.scrollTop + ROWS.clientHeight) / ROW)));
  drawScale();
  const made = [];
  for (let place = first; place < last; place += 1) made.push(rowOf(shown[place], place));
  SPACE.replaceChildren(...made);
  if (!shown.length) SPACE.append(el('p.empty', null, 'No step fits the filter.'));
  const active = selected && shown.includes(selected) ? `row-${selected.index}` : null;
  if (active) ROWS.setAttribute('aria-activedescendant', active);
  else ROWS.removeAttribute('aria-activedescendant');
}

function rowOf(step, place) {
  const around = isFiltered() && !step.fits;
  const classes = [step.kind, step.failed && 'bad', step === selected && 'selected', around && 'around', ON_PATH.has(step.index) && 'on-path'];
  const row = el(['div.row', ...classes.filter(Boolean)].join('.'), {
    role: 'treeitem', id: `row-${step.index}`, 'data-step': step.index, 'aria-level': step.depth + 1, 'aria-selected': String(step === selected),
    'aria-expanded': step.inner.length ? String(step.open || isFiltered()) : null, 'aria-setsize': shown.length, 'aria-posinset': place + 1,
  }, nameCell(step), cell('took', isUnderWay(step) ? `${duration(endOf(step) - step.at)}\u2026` : hasLength(step) && duration(step.seconds)),
  cell('tokens', tokens(step) > 0 && `${short(step.usage.input_tokens || 0)} \u2192 ${short(step.usage.output_tokens || 0)}`),
  cell('cost', dollars(step.cost_usd)), barOf(step));
  row.style.transform = `translateY(${place * ROW}px)`;
  return row;
}

function hasLength(step) {
  return step.kind !== 'route' && step.kind !== 'notice';
}

function cell(name, text) {
  return el(`span.${name}`, null, text || '');
}

function nameCell(step) {
  const indent = el('span.indent');
  indent.style.width = `${Math.min(step.depth, 12) * 16}px`;
  const twisty = el('span.twisty', { 'aria-hidden': 'true' }, step.inner.length ? (step.open || isFiltered() ? '\u25be' : '\u25b8') : '');
  const mark = step.failed ? '\u2717' : markOf(step);
  return el('span.name', null, indent, twisty, el(`span.mark.${step.failed ? 'failed' : step.kind}`, { title: KINDS[step.kind].word }, mark),
    step.kind === 'model' && step.turn > 0 && el('span.nth', null, `${step.turn}`),
    el('span.title', null, namedIn(step)),
    step.attempt > 1 && el('span.badge', { title: `it took ${step.attempt} attempts` }, `\u00d7${step.attempt}`),
    step.proven === false && el('span.badge.bad', { title: 'its prompt could not be proven' }, '\u2260'),
    !step.open && step.inner.length > 0 && el('span.badge', null, count(step.inner.length)),
    el('span.gist', null, oneLine(gist(step), 160)));
}

/** Return the name of a step, with what a narrow list leaves out of it. */
function namedIn(step) {
  const title = titleOf(step);
  const at = step.kind === 'model' ? title.indexOf('/') + 1 : 0;
  return [at > 0 && el('span.provider', null, title.slice(0, at)), title.slice(at)];
}

function select(step, { scroll = true, history = true } = {}) {
  selected = step;
  if (step) {
    if (!shown.includes(step)) {
      if (isFiltered()) clearFilter();
      reveal(step);
      refreshRows();
    }
    if (scroll) scrollTo(shown.indexOf(step));
  }
  showDetails(step);
  if (history) tellAddress(step);
  // The panel takes room from the list.
  drawTimeline();
}

function tellAddress(step) {
  try {
    window.history.replaceState(null, '', step ? `#step-${step.index}` : '#');
  } catch {
    // Inside a frame that is not to have an address, there is none to share.
  }
}

function scrollTo(place) {
  const [top, high] = [place * ROW, ROWS.clientHeight];
  if (top < ROWS.scrollTop) ROWS.scrollTop = top;
  else if (top + ROW > ROWS.scrollTop + high) ROWS.scrollTop = top + ROW - high;
}

function toggle(step, open = !step.open) {
  if (!step.inner.length || isFiltered()) return;
  step.open = open;
  refreshRows();
}

function stepOfHash() {
  const found = /^#step-(\d+)$/.exec(window.location.hash);
  return found ? STEPS[Number(found[1])] || null : null;
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  PageDown: () => move(Math.max(1, Math.floor(ROWS.clientHeight / ROW) - 1)),
  PageUp: () => move(-Math.max(1, Math.floor(ROWS.clientHeight / ROW) - 1)),
  Home: () => move(-shown.length),
  End: () => move(shown.length),
  ArrowRight: () => selected && (selected.open || !selected.inner.length ? selected.inner.length && move(1) : toggle(selected, true)),
  ArrowLeft: () => selected && (selected.open && selected.inner.length && !isFiltered() ? toggle(selected, false) : selected.parent !== null && select(STEPS[selected.parent])),
  Enter: () => PANEL.focus(),
  z: () => selected && zoomToStep(selected),
  0: () => zoomTo(0, LENGTH),
};

function move(by) {
  const at = selected ? shown.indexOf(selected) : -1;
  const place = Math.min(Math.max(at + by, 0), shown.length - 1);
  if (shown[place]) select(shown[place]);
}

function watchRows() {
  let waiting = false;
  ROWS.addEventListener('scroll', () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawRows();
    });
  });
  ROWS.addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    if (!row) return;
    const step = STEPS[Number(row.dataset.step)];
    if (event.target.closest('.twisty') && step.inner.length) toggle(step);
    else select(step, { scroll: false });
  });
  ROWS.addEventListener('dblclick', (event) => {
    const row = event.target.closest('.row');
    if (row) zoomToStep(STEPS[Number(row.dataset.step)]);
  });
  ROWS.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
}
