// How texts, JSON, messages and passages are shown.

const LONG_TEXT = 6000;
const MANY_MESSAGES = 20;
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** Return a text, cut where it is long until somebody asks for the rest. */
function textBlock(text, kind = 'text') {
  const block = el(`pre.block.${kind}`, { tabindex: '0' }, text.slice(0, LONG_TEXT));
  if (text.length <= LONG_TEXT) return block;
  const more = el('button.more', {
    type: 'button',
    onclick: () => {
      block.textContent = visible(text);
      more.remove();
    },
  }, `Show all ${count(text.length)} characters`);
  return el('div', null, block, more);
}

/** Return a value of the content: JSON with line breaks, or a text as it is. */
function valueBlock(value) {
  const text = plainText(value);
  const json = indented(text);
  return json === null ? textBlock(text) : textBlock(json, 'json');
}

function messageBlock(message, place, isNew) {
  const name = el('div.who', null, el('span.place', null, `${place + 1}`), el('span', null, message ? message.role : 'message'),
    isNew && el('span.new', null, 'new'));
  const body = message ? message.parts.map(partBlock) : [el('p.note', null, 'not told in this trace')];
  return el(`div.message.${message ? message.role : 'lost'}${isNew ? '.is-new' : ''}`, null, name, body);
}

function partBlock(part) {
  switch (part.kind) {
    case 'text':
      return textBlock(part.text);
    case 'tool_call':
      return el('div.part', null, el('div.label', null, 'calls ', el('b', null, part.name), el('code.id', null, part.id)),
        part.malformed ? textBlock(part.malformed) : valueBlock(part.arguments || { json: '{}' }));
    case 'tool_result':
      return el('div.part', null,
        el('div.label', null, part.is_error ? 'error of ' : 'result of ', el('b', null, part.name), el('code.id', null, part.call_id)),
        part.content ? valueBlock(part.content) : null, (part.attachments || []).map(blobBlock));
    case 'image':
    case 'file':
      return blobBlock(part);
    case 'reasoning':
      return el('div.part.thinking', null, el('div.label', null, `reasoning (${part.provider})`),
        part.text ? textBlock(part.text) : el('p.note', null, 'not readable: its provider keeps it encrypted'));
    case 'citation':
      return folded(`citation (${part.provider})`, () => valueBlock(part.data));
    case 'opaque':
      return folded(part.tool ? `${part.tool}, run by ${part.provider}` : `a block of ${part.provider}`, () => valueBlock(part.data));
    case 'ref':
      return el('p.note', null, `stands for part ${part.part + 1} of message ${part.message + 1}, which could not be found`);
    default:
      return folded(String(part.kind), () => textBlock(JSON.stringify(part)));
  }
}

function blobBlock(part) {
  const size = part.data ? `${count(Math.round(part.data.length * 0.75))} bytes` : part.url;
  const label = el('div.label', null, [part.name, part.media_type, size].filter(Boolean).join(' \u00b7 '));
  const shows = part.data && PICTURES.includes(part.media_type);
  return el('div.part', null, label, shows && el('img', { src: `data:${part.media_type};base64,${part.data}`, alt: part.name || 'image' }));
}

/** Return something that is made only when it is opened. */
function folded(label, make, isOpen = false) {
  const body = el('div.folded');
  const fold = el('details', { open: isOpen }, el('summary', null, label), body);
  const fill = () => fold.open && !body.hasChildNodes() && body.append(...[make()].flat(9).filter(Boolean));
  fold.addEventListener('toggle', fill);
  fill();
  return fold;
}

/** Return the messages of a prompt at some places, the last ones first made: those before come when they are asked for. */
function messagesBlock(messages, places, fresh) {
  const list = el('div.messages');
  let first = places.length;
  const earlier = el('button.more', { type: 'button', onclick: () => show() });
  const show = () => {
    const next = Math.max(0, first - MANY_MESSAGES);
    earlier.after(...places.slice(next, first).map((place) => messageBlock(messages[place], place, fresh.has(place))));
    first = next;
    earlier.hidden = first <= 0;
    earlier.textContent = `Show ${count(Math.min(MANY_MESSAGES, first))} of ${plural(first, 'earlier message')}`;
  };
  list.append(earlier);
  show();
  return list;
}

function passagesBlock(passages) {
  if (!passages.length) return el('p.note', null, 'It found nothing.');
  const stages = ['dense', 'sparse', 'fused', 'rerank'].filter((stage) =>
    passages.some((one) => one.scores && one.scores[stage] !== undefined && one.scores[stage] !== null));
  const head = el('tr', null, el('th', null, '#'), el('th', null, 'passage'), stages.map((stage) => el('th.number', null, stage)));
  const rows = passages.map((one, place) => el('tr', null,
    el('td.dim', null, `${place + 1}`),
    el('td', null, el('code', null, one.id), el('div.dim', null, one.source || '', one.page ? `, page ${one.page}` : '')),
    stages.map((stage) => el('td.number', null, one.scores && typeof one.scores[stage] === 'number' ? one.scores[stage].toFixed(3) : '\u2013'))));
  return el('div.scroll', null, el('table', null, el('thead', null, head), el('tbody', null, rows)));
}
