// A page of a run that goes on is written again and again: it loads itself anew, and looks as it did.

const KEPT = 'sostenuto-trace';

/** Load the page anew in a while, where it is written again until the run ends. */
function goOn() {
  if (CONTENT.reload) setTimeout(() => {
    keep();
    window.location.reload();
  }, 1000 * CONTENT.reload);
}

function keep() {
  const atEnd = ROWS.scrollTop + ROWS.clientHeight >= ROWS.scrollHeight - ROW;
  const look = {
    run: RUN.id, selected: selected && selected.id, details: PANEL.scrollTop, top: atEnd ? null : ROWS.scrollTop,
    closed: STEPS.filter((step) => !step.open).map((step) => step.id),
    text: FILTER.text, kinds: [...FILTER.kinds], failed: FILTER.failed, path: FILTER.path, follows,
    zoom: isZoomed() && !follows ? [ZOOM.begin, ZOOM.end] : null,
  };
  try {
    window.sessionStorage.setItem(KEPT, JSON.stringify(look));
  } catch {
    // A browser that keeps nothing shows the page from its top.
  }
}

/** Return how the page looked before it was loaded anew; null where it was not, or another run's. */
function kept() {
  try {
    const look = JSON.parse(window.sessionStorage.getItem(KEPT));
    window.sessionStorage.removeItem(KEPT);
    return look && look.run === RUN.id ? look : null;
  } catch {
    return null;
  }
}

/** Look as before; return whether there was anything to go by. */
function lookAsBefore() {
  const look = kept();
  if (!look) return false;
  const closed = new Set(look.closed);
  for (const step of STEPS) step.open = !closed.has(step.id);
  Object.assign(FILTER, { text: look.text, kinds: new Set(look.kinds), failed: look.failed, path: look.path });
  SEARCH.value = look.text;
  follows = look.follows;
  refreshRows();
  if (look.zoom) zoomTo(look.zoom[0], look.zoom[1]);
  select(STEPS.find((step) => look.selected && step.id === look.selected) || null, { scroll: false });
  ROWS.scrollTop = look.top === null ? ROWS.scrollHeight : look.top;
  PANEL.scrollTop = look.details;
  return true;
}
