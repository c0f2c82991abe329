// How things are written. Texts of a run only ever become text nodes.

const KINDS = {
  run: { mark: '\u25b7', word: 'run' },
  turn: { mark: '\u00bb', word: 'turn' },
  model: { mark: '\u25cf', word: 'model call' },
  tool: { mark: '\u2192', word: 'tool call' },
  retrieval: { mark: '\u2315', word: 'search' },
  document: { mark: '\u25a4', word: 'document' },
  embeddings: { mark: '\u2248', word: 'embedding' },
  rerank: { mark: '\u21c5', word: 'reranking' },
  route: { mark: '\u21e2', word: 'route' },
  notice: { mark: '\u26a0', word: 'notice' },
};

const IN_ORDER = { 'memory.recalled': '\u270e', 'memory.written': '\u270e', 'memory.forgotten': '\u270e', 'memory.compacted': '\u2702', 'guardrail.decided': '\u25c8' };

/** Return the mark of a step; of a notice of something in order none that warns. */
function markOf(step) {
  if (step.kind !== 'notice' || step.status !== 'completed') return KINDS[step.kind].mark;
  return IN_ORDER[step.name] || '\u2713';
}

/** Return a new element: `tag.class.class`, its attributes and handlers, its children. */
function el(what, attributes, ...children) {
  const [tag, ...classes] = what.split('.');
  const made = document.createElement(tag || 'div');
  if (classes.length) made.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  const kept = children.flat(9).filter((child) => child !== null && child !== undefined && child !== false);
  made.append(...kept.map((child) => (typeof child === 'string' ? visible(child) : child)));
  return made;
}

/** Return a text with signs for what would hide or turn around what stands by it. */
function visible(text) {
  const controls = text.replace(/[\x00-\x08\x0b-\x1f]/g, (one) => String.fromCharCode(0x2400 + one.charCodeAt(0)));
  return controls.replace(/[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function duration(seconds) {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [days, hours] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24];
  const [minutes, rest] = [Math.floor(whole / 60) % 60, whole % 60];
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours} h ${two(minutes)} m` : `${minutes} m ${two(rest)} s`;
}

function two(number) {
  return String(number).padStart(2, '0');
}

function count(number) {
  return number.toLocaleString('en-US');
}

function short(number) {
  if (number < 1000) return String(number);
  if (number < 99950) return `${(number / 1000).toFixed(1)}k`;
  return number < 999500 ? `${Math.round(number / 1000)}k` : `${(number / 1e6).toFixed(1)}M`;
}

function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function percent(part) {
  return part < 0.005 ? '< 1 %' : `${Math.round(100 * part)} %`;
}

function dollars(usd) {
  if (usd === null || usd === undefined) return '';
  return usd === 0 ? '$0' : `$${usd < 0.00995 ? usd.toPrecision(2).replace(/0+$/, '') : usd.toFixed(usd < 1 ? 3 : 2)}`;
}

function clock(iso) {
  const at = new Date(iso);
  return `${at.toISOString().slice(0, 10)} ${at.toISOString().slice(11, 19)} UTC`;
}

function oneLine(text, chars) {
  const cut = text.slice(0, chars * 2).replace(/\s+/g, ' ').trim();
  return cut.length > chars ? `${cut.slice(0, chars - 1)}\u2026` : cut;
}

/** Return the text of a JSON value with line breaks, digit for digit as it stands; null of what is none. */
function indented(text) {
  try {
    if (!/^\s*[[{]/.test(text) || typeof JSON.parse(text) !== 'object') return null;
  } catch {
    return null;
  }
  const out = [];
  let depth = 0;
  let last = '';
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}[\]:,]+|[{}[\]:,]/g)) {
    const closes = token === '}' || token === ']';
    const opened = last === '{' || last === '[';
    if (closes) depth -= 1;
    if ((closes && !opened) || (!closes && (opened || last === ','))) out.push('\n', '  '.repeat(depth));
    if (token === '{' || token === '[') depth += 1;
    out.push(token === ':' ? ': ' : token);
    last = token;
  }
  return out.join('');
}

/** Return a value of the content as text: one that is JSON is an object with its text. */
function plainText(value) {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' && 'json' in value ? value.json : String(value);
}
