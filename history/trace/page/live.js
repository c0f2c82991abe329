// A page of a run that goes on is written again and again: it loads itself anew, and looks as it did.

const KEPT = 'sostenuto-trace';

/** Load the page anew in a while, where it is written again until the run ends. */
function goOn() {
  if (CONTENT.reload) setTimeout(loadAnew, 1000 * CONTENT.reload);
}

function loadAnew() {
  // Somebody writes, or marks what they read.
  if (document.activeElement === SEARCH || String(window.getSelection())) {
    setTimeout(loadAnew, 1000);
    return;
  }
  keep();
  window.location.reload();
}

function keep() {
  const atEnd = ROWS.scrollTop + ROWS.clientHeight >= ROWS.scrollHeight - ROW;
  const look = {
    run: RUN.id, selected: selected && selected.id, details: PANEL.scrollTop, top: atEnd ? null : ROWS.scrollTop,
    closed: STEPS.filter((step) => !step.open).map((step) => step.id), written: SEARCH.value, wholePrompt,
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
  SEARCH.value = look.written;
  follows = look.follows;
  wholePrompt = look.wholePrompt;
  refreshRows();
  if (look.zoom) zoomTo(look.zoom[0], look.zoom[1]);
  // It may be among what is filtered out or closed, and stays so.
  selected = STEPS.find((step) => look.selected && step.id === look.selected) || null;
  showDetails(selected);
  tellAddress(selected);
  drawTimeline();
  ROWS.scrollTop = look.top === null ? ROWS.scrollHeight : look.top;
  PANEL.scrollTop = look.details;
  return true;
}
