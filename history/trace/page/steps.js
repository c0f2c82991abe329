// The steps of the run: what is in what, what is shown, and what each model call was told.

const CONTENT = JSON.parse(document.getElementById('content').textContent);
const STEPS = CONTENT.steps;
const RUN = STEPS[0];
const ON_PATH = new Map();

STEPS.forEach((step, index) => {
  Object.assign(step, { index, inner: [], depth: 0, open: true, status: step.status || '', told: step.told || [], order: step.order || [] });
  step.end = step.seconds === undefined || step.seconds === null ? null : step.at + step.seconds;
  step.usage = step.usage || {};
  step.failed = step.kind !== 'notice' && step.status !== '' && step.status !== 'completed';
  if (step.parent !== null) {
    const holder = STEPS[step.parent];
    holder.inner.push(step);
    step.depth = holder.depth + 1;
  }
});
for (const [index, begin, working, end] of CONTENT.path) {
  const known = ON_PATH.get(index) || [];
  ON_PATH.set(index, [...known, { begin, working, end }]);
}

/** When the last step ended; of what is under way, when the history was read. */
const LENGTH = STEPS.reduce((end, step) => Math.max(end, endOf(step)), 1e-3);

function endOf(step) {
  return step.end === null ? Math.max(CONTENT.now, step.at) : step.end;
}

function isUnderWay(step) {
  return step.end === null;
}

/** Return the steps that wait for people: it itself; of the run all in it. */
function awaited(step) {
  return (step === RUN ? STEPS : [step]).filter((one) => one.awaits);
}

function titleOf(step) {
  if (step.summary) return `summary by ${step.name}`;
  if (step.kind === 'turn') return 'turn';
  return step.name || (step.kind === 'route' ? 'no route' : step.kind);
}

/** Return the tokens and the cost of the run; of one that is under way, of its calls so far. */
function totals() {
  if (!isUnderWay(RUN)) return RUN;
  const calls = STEPS.filter((step) => ['model', 'retrieval', 'document'].includes(step.kind));
  const sum = (amount) => calls.reduce((all, step) => all + (amount(step) || 0), 0);
  const names = ['input_tokens', 'output_tokens', 'cached_tokens'];
  return { turns: sum((step) => step.turns), cost_usd: sum((step) => step.cost_usd), usage: Object.fromEntries(names.map((name) => [name, sum((step) => step.usage[name])])) };
}

function tokens(step) {
  return (step.usage.input_tokens || 0) + (step.usage.output_tokens || 0);
}

/** Return what a step came to, in one line. */
function gist(step) {
  if (step.failed && (step.reason || step.kind === 'tool')) return step.reason || plainText(step.answered);
  if (step.kind === 'notice') return step.reason || '';
  if (step.kind === 'route') return step.reason || '';
  if (step.kind === 'tool') return plainText(step.asked);
  if (step.kind === 'retrieval') return `${plural((step.answered || []).length, 'passage')} for \u201c${step.asked || ''}\u201d`;
  if (['turn', 'run', 'document'].includes(step.kind)) return plainText(step.asked);
  const answered = plainText(step.answered);
  if (answered) return answered;
  const called = callsAskedBy(step);
  return called.length ? `asked for ${called.map(titleOf).join(', ')}` : '';
}

const BY_PLACE = new Map();
for (const step of STEPS) {
  if (step.kind !== 'model' && step.kind !== 'tool') continue;
  const place = placeOf(step);
  const at = BY_PLACE.get(place) || { models: [], summaries: [], tools: new Map() };
  BY_PLACE.set(place, at);
  if (step.kind === 'model') (step.summary ? at.summaries : at.models).push(step);
  else at.tools.set(step.turn || 0, [...(at.tools.get(step.turn || 0) || []), step]);
}

/** Return the place of whose conversation a call is: a summary is of its agent's. */
function placeOf(step) {
  return step.summary ? step.path.slice(0, step.path.lastIndexOf('/')) : step.path;
}

function callsAskedBy(model) {
  return (model.turn && !model.failed && !model.summary && BY_PLACE.get(model.path).tools.get(model.turn)) || [];
}

function askedForBy(tool) {
  const answered = BY_PLACE.get(tool.path).models.filter((model) => model.turn === tool.turn && !model.failed);
  return tool.turn ? answered[0] : undefined;
}

/** Return the call that another model took over from this one. */
function takenOverBy(model) {
  const { models } = BY_PLACE.get(placeOf(model));
  return models.find((other) => other.index > model.index && other.turn === model.turn);
}

/**
 * Return the whole prompt of a model call: its messages, and the places of those that are new in it.
 *
 * A call says what it was told beyond the call before it at its place, and where all else stood there. What the calls
 * before it were told is put together only now: a prompt that grows is written once and not with every call.
 */
function promptOf(model) {
  const { models } = BY_PLACE.get(placeOf(model));
  let messages = [];
  let fresh = [];
  let head = null;
  for (const call of [...models.filter((other) => other.index < model.index), model]) {
    if (call.head) head = call.head;
    if (!call.messages) continue;
    const told = call.told.slice();
    const before = messages;
    const order = call.order.length ? call.order : Array.from({ length: call.messages }, (_, place) => (place < call.messages - told.length ? place : -1));
    // Of what is not told here, the places are kept.
    messages = order.map((place) => (place < 0 ? told.shift() : before[place]) || null);
    fresh = order.flatMap((place, at) => (place < 0 ? [at] : []));
  }
  return model.messages ? { messages, head, fresh } : { messages: [], head, fresh: [] };
}

/** Return everything that a step says, for a search. */
function words(step) {
  if (step.words === undefined) {
    const told = step.told.flatMap((message) => message.parts.flatMap((part) => Object.values(part).map(plainText)));
    const answered = step.kind === 'retrieval' ? JSON.stringify(step.answered || []) : plainText(step.answered);
    const said = [step.name, step.path, step.run_id, step.status, step.reason, step.awaits, plainText(step.asked), answered, ...told];
    step.words = said.filter(Boolean).join('\n').toLowerCase();
  }
  return step.words;
}

const FILTER = { text: '', kinds: new Set(), failed: false, path: false };

function isFiltered() {
  return Boolean(FILTER.text || FILTER.kinds.size || FILTER.failed || FILTER.path);
}

function fits(step) {
  if (FILTER.kinds.size && !FILTER.kinds.has(step.kind)) return false;
  if (FILTER.failed && !step.failed) return false;
  if (FILTER.path && !ON_PATH.has(step.index)) return false;
  return !FILTER.text || words(step).includes(FILTER.text);
}

/** Return the steps to show, in order, and how many of them fit the filter; the others are what those are in. */
function shownSteps() {
  if (!isFiltered()) {
    const shown = [];
    const left = [RUN];
    while (left.length) {
      const step = left.pop();
      shown.push(step);
      if (step.open) left.push(...step.inner.slice().reverse());
    }
    return { shown, fitting: STEPS.length };
  }
  const around = new Set();
  let fitting = 0;
  for (const step of STEPS) {
    step.fits = fits(step);
    if (!step.fits) continue;
    fitting += 1;
    for (let one = step; one && !around.has(one); one = one.parent === null ? null : STEPS[one.parent]) around.add(one);
  }
  return { shown: STEPS.filter((step) => around.has(step)), fitting };
}

/** Open everything that a step is in. */
function reveal(step) {
  for (let one = step; one.parent !== null; one = STEPS[one.parent]) STEPS[one.parent].open = true;
}
