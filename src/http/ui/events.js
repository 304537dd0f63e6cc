// events.js - an event stream by fetch, since EventSource cannot send a token.

// Splits what comes into blocks of fields; incomplete ones wait in `rest`.
function* blocks(state, text) {
  const parts = (state.rest + text).split("\n\n");
  state.rest = parts.pop();
  for (const part of parts) {
    const fields = {};
    for (const line of part.split("\n")) {
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name) fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
    }
    yield fields;
  }
}

async function readOnce(path, state, { headers, signal, onOpen, onEvent }) {
  const resume = state.id ? { "Last-Event-ID": state.id } : {};
  const response = await fetch(path, { headers: { ...headers(), ...resume }, signal });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? `status ${response.status}`), { final: true });
  }
  onOpen();
  state.rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    for (const fields of blocks(state, piece.value)) {
      state.id = fields.id ?? state.id;
      if (fields.data !== undefined) onEvent(fields.event ?? "message", JSON.parse(fields.data));
    }
  }
}

// Follows the stream until `signal`, and comes back where it was when the connection breaks. Throws what the server answers
// if that is no stream.
export async function follow(path, how) {
  const state = { id: "", rest: "" };
  while (!how.signal.aborted) {
    try {
      await readOnce(path, state, how);
    } catch (e) {
      if (how.signal.aborted) return;
      if (e.final) throw e;
    }
    how.onBreak();
    await new Promise((again) => setTimeout(again, 1000));
  }
}
