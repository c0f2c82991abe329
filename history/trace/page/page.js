// What stands above the steps, and how everything hangs together.

const TOOLS = document.getElementById('tools');

function drawSummary() {
  const models = STEPS.filter((step) => step.proven === true || step.proven === false);
  const wrong = models.filter((step) => !step.proven).length;
  const proofs = models.length && (wrong
    ? el('span.bad', null, `${plural(wrong, 'prompt')} of ${count(models.length)} not proven`)
    : el('span', { title: 'rebuilt from the history, they have the hashes of those that were sent' }, `${plural(models.length, 'prompt')} proven`));
  const { turns, usage, cost_usd: cost } = totals();
  const facts = [
    isUnderWay(RUN) ? `${duration(endOf(RUN))} so far` : duration(RUN.seconds),
    turns && plural(turns, 'model call'),
    tokens({ usage }) > 0 && `${count(usage.input_tokens || 0)} \u2192 ${count(usage.output_tokens || 0)} tokens`,
    usage.cached_tokens && `${count(usage.cached_tokens)} cached`,
    cost && dollars(cost),
    proofs,
    clock(CONTENT.begin),
  ];
  const untold = STEPS.filter((step) => step.untold);
  document.getElementById('summary').append(
    el('h1', null, el('span.mark.run', { 'aria-hidden': 'true' }, KINDS.run.mark), el('span.title', null, RUN.name || 'run'), statusChip(RUN), el('code.id', null, RUN.run_id || '')),
    el('p.totals', null, facts.filter(Boolean).map((fact) => el('span', null, fact))),
    ...[RUN.reason && RUN.failed && el('p.reason', null, oneLine(RUN.reason, 600)),
      CONTENT.source && el('p.state', null, CONTENT.source),
      isUnderWay(RUN) && el('p.state', null, `Under way ${CONTENT.source ? 'at the last event in it' : 'when this was written'}, ${clock(CONTENT.written)}.${CONTENT.reload ? ' This page goes on with it.' : ''}`),
      ...awaited(RUN).slice(0, 5).map((step) => el('p.state', null, `${titleOf(step)} waits for ${oneLine(step.awaits, 300)}: `, stepLink(step))),
      awaited(RUN).length > 5 && el('p.state', null, `${count(awaited(RUN).length - 5)} more wait for a person.`),
      untold.length > 0 && el('p.state', null, `What happened inside ${plural(untold.length, 'nested run')} is not told here: ${untold[0].untold}.`)].filter(Boolean),
    sharesBlock());
}

function sharesBlock() {
  const bar = el('div.shares', { 'aria-hidden': 'true' });
  const legend = el('p.legend', null, el('span.dim', null, isUnderWay(RUN) ? 'Where the time went until the last step that ended' : 'Where the time went'));
  const whole = CONTENT.shares.reduce((sum, share) => sum + share.seconds, 0);
  for (const share of CONTENT.shares) {
    const part = el(`div.share.${share.what}`, { title: `${share.percent} % ${share.words}` });
    part.style.flexGrow = (1000 * share.seconds) / whole;
    bar.append(part);
    legend.append(el('span.entry', { title: `${duration(share.seconds)}${share.what === 'between' ? ': the server and the workflow\'s code, between two steps' : ''}` }, el(`i.${share.what}`), `${share.percent} % ${share.words}`));
  }
  return CONTENT.shares.length ? el('div', null, bar, legend) : '';
}

const SEARCH = el('input', { type: 'search', placeholder: 'Search all texts', 'aria-label': 'Search all texts', spellcheck: 'false' });
const FOUND = el('span.dim.found', { role: 'status' });
const CHIPS = [];

function makeTools() {
  const chip = (label, get, set, title) => {
    const made = el('button.filter', { type: 'button', title, onclick: () => {
      set(!get());
      refreshRows();
    } }, label);
    CHIPS.push([made, get]);
    return made;
  };
  const kinds = Object.keys(KINDS).filter((kind) => STEPS.some((step) => step.kind === kind && step !== RUN));
  const failed = STEPS.filter((step) => step.failed).length;
  TOOLS.append(SEARCH,
    ...kinds.map((kind) => chip([el(`span.mark.${kind}`, null, KINDS[kind].mark), plural(STEPS.filter((step) => step.kind === kind && step !== RUN).length, KINDS[kind].word).replace(/searchs$/, 'searches')],
      () => FILTER.kinds.has(kind), (on) => (on ? FILTER.kinds.add(kind) : FILTER.kinds.delete(kind)))),
    ...(failed ? [chip([el('span.mark.failed', null, '\u2717'), `${count(failed)} failed`], () => FILTER.failed, (on) => { FILTER.failed = on; })] : []),
    chip([el('span.mark.path-mark', null, '\u2501'), 'critical path'], () => FILTER.path, (on) => { FILTER.path = on; }, 'What the run waited for: without these steps it would have ended sooner'),
    FOUND, el('span.gap'),
    ...(STEPS.length > 40 ? [chip('Follow', () => follows, (on) => {
      zoomTo(0, LENGTH);
      follows = on;
    }, 'Let the timeline show the time of the steps in view')] : []),
    el('button.zoom', { type: 'button', title: 'Whole run (0). Double-click a step, press z, or drag above to see a part.', onclick: () => zoomTo(0, LENGTH) }, 'Whole run'),
    ...(STEPS.some((step) => step.inner.length && step !== RUN) ? [
      el('button', { type: 'button', onclick: () => openAll(true) }, 'Expand'),
      el('button', { type: 'button', onclick: () => openAll(false) }, 'Collapse')] : []));
}

function openAll(open) {
  for (const step of STEPS) step.open = open || step === RUN;
  refreshRows();
}

function drawTools() {
  for (const [chip, get] of CHIPS) chip.setAttribute('aria-pressed', String(Boolean(get())));
  FOUND.textContent = isFiltered() ? `${count(fitting)} of ${plural(STEPS.length, 'step')}` : '';
}

function clearFilter() {
  Object.assign(FILTER, { text: '', failed: false, path: false });
  FILTER.kinds.clear();
  SEARCH.value = '';
}

function watchKeys() {
  SEARCH.addEventListener('input', () => {
    FILTER.text = SEARCH.value.trim().toLowerCase();
    ROWS.scrollTop = 0;
    refreshRows();
  });
  SEARCH.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      ROWS.focus();
      if (!selected || !shown.includes(selected)) select(shown.find((step) => step.fits) || null);
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== SEARCH) {
      event.preventDefault();
      SEARCH.focus();
    } else if (event.key === 'Escape') {
      if (document.activeElement === SEARCH && FILTER.text) clearFilter();
      else if (selected) select(null);
      refreshRows();
      ROWS.focus();
    }
  });
  window.addEventListener('hashchange', () => select(stepOfHash(), { history: false }));
  window.addEventListener('resize', drawTimeline);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawOverview);
}

drawSummary();
makeTools();
watchOverview();
watchRows();
watchKeys();
refreshRows();
if (!lookAsBefore()) select(stepOfHash(), { history: false });
ROWS.focus({ preventScroll: true });
goOn();
