// The panel that says everything about the selected step.

const PANEL = document.getElementById('details');
let wholePrompt = false;

function showDetails(step) {
  document.body.classList.toggle('has-details', Boolean(step));
  if (!step) {
    PANEL.replaceChildren();
    return;
  }
  PANEL.replaceChildren(detailsHead(step), el('div.facts', null, factsOf(step)), ...sectionsOf(step).flat(9).filter(Boolean));
  PANEL.scrollTop = 0;
}

function detailsHead(step) {
  const close = el('button.close', { type: 'button', title: 'Close (Esc)', 'aria-label': 'Close', onclick: () => select(null) }, '\u00d7');
  const place = step.path === step.name ? KINDS[step.kind].word : `${KINDS[step.kind].word} at ${step.path}`;
  return el('div.head', null,
    el('h2', null, el(`span.mark.${step.kind}`, { 'aria-hidden': 'true' }, markOf(step)), titleOf(step), statusChip(step)),
    el('div.dim.where', null, place), close);
}

function statusChip(step) {
  if (isUnderWay(step)) return el('span.chip.going', null, awaited(step).length ? 'waits for a person' : 'under way');
  if (step.kind === 'notice' || !step.status) return null;
  return el(`span.chip.${step.failed ? 'failed' : 'done'}`, null, step.status);
}

function factsOf(step) {
  const usage = step.usage;
  const path = (ON_PATH.get(step.index) || []).reduce((sum, one) => sum + one.end - one.begin, 0);
  const queued = (step.waited_seconds || 0) - (step.person_seconds || 0);
  const facts = [
    ['began', `+${duration(step.at)}`, clock(new Date(Date.parse(CONTENT.begin) + step.at * 1000).toISOString())],
    ['took', isUnderWay(step) ? `${duration(endOf(step) - step.at)} so far` : duration(step.seconds)],
    ['of it waiting for a person', step.person_seconds >= 0.0005 && duration(step.person_seconds), 'until somebody decided on it'],
    ['of it waiting', queued >= 0.0005 && duration(queued), 'in the queue, and with earlier attempts'],
    ['waits for', step.awaits],
    ['undoes', step.undoes],
    ['on the critical path', path && `${duration(path)} \u00b7 ${percent(path / LENGTH)}`, 'how long the run waited for it, and how much of its time that is'],
    ['attempt', step.attempt > 1 && `${step.attempt}`],
    ['turn', step.turn && `${step.turn}`, 'which model call at its place this is, or was asked for by'],
    ['model calls', step.turns > 1 && count(step.turns)],
    ['tokens in', usage.input_tokens && count(usage.input_tokens)],
    ['of them cached', usage.cached_tokens && count(usage.cached_tokens)],
    ['written to the cache', usage.cache_write_tokens && count(usage.cache_write_tokens)],
    ['tokens out', usage.output_tokens && count(usage.output_tokens)],
    ['of them reasoning', usage.reasoning_tokens && count(usage.reasoning_tokens)],
    ['web searches', usage.web_searches && count(usage.web_searches)],
    ['cost', typeof step.cost_usd === 'number' ? `$${step.cost_usd.toFixed(6).replace(/0{1,4}$/, '')}` : tokens(step) > 0 && 'no price is known'],
    ['run id', step.run_id],
  ];
  return facts.filter(([, value]) => value).map(([name, value, title]) =>
    el('div.fact', { title }, el('span.dim', null, name), el('span', null, value)));
}

function section(title, ...children) {
  return el('section', null, el('h3', null, title), children);
}

function sectionsOf(step) {
  const why = step.reason && section(step.failed ? 'Why it failed' : 'Why', textBlock(step.reason, step.failed ? 'bad' : 'text'));
  const hasAnswer = step.answered !== undefined && step.answered !== null && step.answered !== '';
  const untold = step.untold && section('Inside', el('p.note', null, `What happened inside is not told here: ${step.untold}.`));
  switch (step.kind) {
    case 'model':
      return [why, modelAnswer(step, hasAnswer), modelPrompt(step)];
    case 'tool':
      return [section('Arguments', valueBlock(step.asked === undefined ? { json: '{}' } : step.asked)),
        hasAnswer && section(step.failed ? 'Error, as the model was told' : 'Result', valueBlock(step.answered)), why,
        askedForBy(step) && section('Asked for by', stepLink(askedForBy(step))), inside(step)];
    case 'retrieval':
      return [section('Searched for', valueBlock(step.asked || '')), section('Found', passagesBlock(step.answered || [])), why];
    case 'route':
      return [section('Decided by', textBlock(`${step.asked || ''}, confidence ${plainText(step.answered)}`)), why];
    default:
      return [step.asked !== undefined && section('Asked', valueBlock(step.asked)),
        hasAnswer && section('Answered', valueBlock(step.answered)), why, untold, inside(step)];
  }
}

function modelAnswer(step, hasAnswer) {
  const called = callsAskedBy(step);
  const nothing = isUnderWay(step) ? 'It has not answered yet.' : !step.failed && !called.length && 'It answered with no text.';
  return [hasAnswer && section('Answered', valueBlock(step.answered)),
    called.length > 0 && section('Asked for', called.map(stepLink)),
    !hasAnswer && nothing && section('Answered', el('p.note', null, nothing))];
}

function modelPrompt(step) {
  const next = step.failed && !step.messages && takenOverBy(step);
  if (next) return section('What it was told', el('p.note', null, 'The same as the model that took over:'), stepLink(next));
  const { messages, head, fresh } = promptOf(step);
  if (!messages.length && !head) return section('What it was told', el('p.note', null, 'The history does not tell.'));
  const body = el('div');
  const choose = (whole) => {
    wholePrompt = whole;
    modes.forEach(([button, mode]) => button.setAttribute('aria-pressed', String(mode === whole)));
    const places = whole ? [...messages.keys()] : fresh;
    body.replaceChildren(...[headBlock(whole ? head : step.head, Boolean(step.head)), messagesBlock(messages, places, new Set(fresh))].filter(Boolean));
  };
  const modes = [[el('button', { type: 'button', onclick: () => choose(false) }, `New in this call (${count(fresh.length)})`), false],
    [el('button', { type: 'button', onclick: () => choose(true) }, `Whole prompt (${plural(messages.length, 'message')})`), true]];
  choose(wholePrompt);
  return section('What it was told', proof(step), el('div.modes', { role: 'group' }, modes.map(([button]) => button)), body);
}

function proof(step) {
  if (step.proven === true) return el('p.proof.good', { title: step.prompt_hash }, `Proven: the hash of the prompt that was sent is that of this one, ${step.prompt_hash.slice(0, 12)}\u2026`);
  if (step.proven === false) return el('p.proof.bad', { title: step.prompt_hash }, 'Not proven: rebuilt from the history, this prompt has another hash than the one that was sent.');
  return el('p.proof', null, 'Not proven: there is no answer, which alone has the hash of what was sent.');
}

function headBlock(head, isNew) {
  if (!head) return null;
  const mark = isNew && el('span.new', null, 'new');
  return el(`div.message.system${isNew ? '.is-new' : ''}`, null, el('div.who', null, el('span', null, 'instructions'), mark),
    head.instructions ? textBlock(head.instructions) : el('p.note', null, 'none'),
    head.tools.length > 0 && folded(plural(head.tools.length, 'tool'), () => head.tools.map(([name, description, schema]) =>
      el('div.part', null, el('div.label', null, el('b', null, name)), description ? textBlock(description) : null, folded('parameters', () => valueBlock(schema))))),
    folded('model and settings', () => valueBlock(head.others)));
}

function inside(step) {
  return step.inner.length > 0 && section(plural(step.inner.length, 'step'), folded('in it', () => step.inner.slice(0, 500).map(stepLink), step.inner.length <= 12));
}

function stepLink(step) {
  const took = isUnderWay(step) ? 'under way' : duration(step.seconds);
  return el('a.step', { href: `#step-${step.index}` }, el(`span.mark.${step.failed ? 'failed' : step.kind}`, null, markOf(step)),
    step.kind === 'model' && step.turn ? `${step.turn} ` : '', titleOf(step), el('span.dim', null, took), el('span.gist', null, oneLine(gist(step), 120)));
}
