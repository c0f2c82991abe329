// When each step was: a scale of the whole run or of a part of it, and the overview above the steps.

const OVERVIEW = document.getElementById('overview');
const CANVAS = OVERVIEW.querySelector('canvas');
const WINDOW = OVERVIEW.querySelector('.window');
const AXIS = document.getElementById('axis');
const LANES = 7;
const ZOOM = { begin: 0, end: LENGTH };

/** Whether the scale is that of the steps in view: of thousands, each is nothing on that of the whole run. */
let follows = STEPS.length > 200;

/** Show a part of the run, whatever is in view. */
function zoomTo(begin, end) {
  follows = false;
  setZoom(begin, end);
  drawTimeline();
}

function setZoom(begin, end) {
  const least = Math.max(LENGTH * 1e-5, 1e-3);
  const middle = (begin + end) / 2;
  const half = Math.max(end - begin, least) / 2;
  ZOOM.begin = Math.max(0, middle - half);
  ZOOM.end = Math.min(LENGTH, Math.max(middle + half, ZOOM.begin + least));
  if (ZOOM.end - ZOOM.begin > LENGTH * 0.999) Object.assign(ZOOM, { begin: 0, end: LENGTH });
}

function zoomToView(steps) {
  const leaves = steps.filter((step) => !step.inner.length);
  if (!leaves.length) return;
  const begin = Math.min(...leaves.map((step) => step.at));
  const end = Math.max(...leaves.map(endOf));
  setZoom(begin - (end - begin) * 0.02, end + (end - begin) * 0.02);
}

function isZoomed() {
  return ZOOM.begin > 0 || ZOOM.end < LENGTH;
}

function zoomToStep(step) {
  const length = Math.max(endOf(step) - step.at, LENGTH * 1e-4);
  zoomTo(step.at - length * 0.1, endOf(step) + length * 0.1);
}

/** Place an element on the scale; return whether any of it is to be seen. */
function put(element, begin, end) {
  const scale = 100 / (ZOOM.end - ZOOM.begin);
  const [left, right] = [(begin - ZOOM.begin) * scale, (end - ZOOM.begin) * scale];
  element.style.left = `${Math.max(left, 0)}%`;
  element.style.width = `${Math.max(Math.min(right, 100) - Math.max(left, 0), 0)}%`;
  const seen = right >= 0 && left <= 100;
  element.hidden = !seen;
  return seen;
}

function barOf(step) {
  const bar = el(`div.time.${step.kind}`);
  const end = endOf(step);
  const whole = el(`div.bar${step.failed ? '.failed' : ''}${isUnderWay(step) ? '.going' : ''}`);
  if (put(whole, step.at, end)) bar.append(whole);
  if (step.waited_seconds > 0) {
    const waited = el('div.bar.waited');
    if (put(waited, step.at, Math.min(step.at + step.waited_seconds, end))) bar.append(waited);
  }
  for (const one of ON_PATH.get(step.index) || []) {
    const path = el('div.path');
    if (put(path, one.begin, one.end)) bar.append(path);
  }
  return bar;
}

function drawTimeline() {
  drawRows();
  drawOverview();
  drawTools();
}

function drawScale() {
  drawAxis();
  drawWindow();
  document.body.classList.toggle('zoomed', isZoomed());
}

function drawAxis() {
  const wide = AXIS.clientWidth;
  const length = ZOOM.end - ZOOM.begin;
  const step = niceStep(length / Math.max(1, Math.floor(wide / 64)));
  const ticks = [];
  for (let at = Math.ceil(ZOOM.begin / step) * step; at <= ZOOM.end; at += step) {
    const tick = el('span.tick', null, tickText(at, step));
    tick.style.left = `${(100 * (at - ZOOM.begin)) / length}%`;
    if ((at - ZOOM.begin) / length < 1 - 40 / Math.max(wide, 1)) ticks.push(tick);
  }
  AXIS.replaceChildren(...ticks);
}

function niceStep(least) {
  const steps = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  if (least > 10 && LENGTH > 90) return steps.find((one) => one >= least) || Math.ceil(least / 86400) * 86400;
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least * 0.999);
}

function tickText(at, step) {
  if (at === 0) return '0';
  if (step < 0.0095) return `${(at * 1000).toFixed(step < 0.001 ? 1 : 0)} ms`;
  if (step >= 1 && LENGTH > 90) {
    const whole = Math.round(at);
    const [hours, rest] = [Math.floor(whole / 3600), `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`];
    return hours ? `${hours}:${rest}` : rest.replace(/^0/, '');
  }
  return `${at.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))} s`;
}

const LEAF_KINDS = ['model', 'tool', 'retrieval', 'document'];
const LEAVES = lanesOf(STEPS.filter((step) => LEAF_KINDS.includes(step.kind) ? !step.inner.some((inner) => LEAF_KINDS.includes(inner.kind)) : step.untold));

/** Return steps with the lane of each: the first one that is free by then. */
function lanesOf(steps) {
  const free = [];
  return steps.slice().sort((one, other) => one.at - other.at).map((step) => {
    let lane = free.findIndex((at) => at <= step.at + 1e-6);
    if (lane < 0) lane = Math.min(free.length, LANES - 1);
    free[lane] = Math.max(free[lane] || 0, endOf(step));
    return { step, lane };
  });
}

function drawOverview() {
  const [wide, high] = [OVERVIEW.clientWidth, OVERVIEW.clientHeight];
  if (!wide || !high) return;
  const dense = window.devicePixelRatio || 1;
  CANVAS.width = wide * dense;
  CANVAS.height = high * dense;
  const pen = CANVAS.getContext('2d');
  pen.scale(dense, dense);
  const style = getComputedStyle(document.body);
  const colours = new Map();
  const colour = (name) => colours.get(name) || colours.set(name, style.getPropertyValue(`--${name}`)).get(name);
  const lanes = Math.max(3, 1 + LEAVES.reduce((most, { lane }) => Math.max(most, lane), 0));
  const lane = (high - 14) / lanes;
  const x = (at) => (at / LENGTH) * wide;
  for (const one of LEAVES) {
    const { step } = one;
    pen.fillStyle = colour(step.failed ? 'bad' : step.kind);
    pen.fillRect(x(step.at), 4 + one.lane * lane, Math.max(x(endOf(step)) - x(step.at), 0.75), Math.max(lane - 1, 1));
  }
  pen.fillStyle = colour('ink');
  for (const [, begin, , end] of CONTENT.path) pen.fillRect(x(begin), high - 6, Math.max(x(end) - x(begin), 0.75), 2);
}

function drawWindow() {
  WINDOW.hidden = !isZoomed();
  WINDOW.style.left = `${(100 * ZOOM.begin) / LENGTH}%`;
  WINDOW.style.width = `${(100 * (ZOOM.end - ZOOM.begin)) / LENGTH}%`;
}

/** Let a part of the run be chosen by dragging over the overview. */
function watchOverview() {
  let from = null;
  const at = (event) => {
    const box = OVERVIEW.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * LENGTH;
  };
  OVERVIEW.addEventListener('pointerdown', (event) => {
    from = at(event);
    OVERVIEW.setPointerCapture(event.pointerId);
  });
  OVERVIEW.addEventListener('pointermove', (event) => {
    if (from !== null && Math.abs(at(event) - from) > LENGTH * 0.004) zoomTo(Math.min(from, at(event)), Math.max(from, at(event)));
  });
  OVERVIEW.addEventListener('pointerup', () => {
    from = null;
  });
  OVERVIEW.addEventListener('dblclick', () => zoomTo(0, LENGTH));
}
