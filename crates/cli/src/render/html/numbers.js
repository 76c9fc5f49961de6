// Numbers for people: three figures are enough, and the unit says the size.

/** `value` with that many significant figures, without trailing zeros. */
function figures(value, wanted) {
  if (value === 0) return "0";
  const before = Math.floor(Math.log10(Math.abs(value))) + 1;
  const text = value.toFixed(Math.max(0, Math.min(6, wanted - before)));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** `0.042 ms`, `4.2 ms`, `412 ms`, `9.84 s`, `2 min 5 s`, `3 h 4 min`. */
function duration(ms) {
  if (!Number.isFinite(ms) || ms < 0) return "?";
  if (ms < 0.0005) return "0 ms";
  if (ms < 9.95) return `${figures(ms, 2)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 59950) return `${figures(ms / 1e3, 3)} s`;
  if (ms < 3599500) {
    const seconds = Math.round(ms / 1e3);
    return seconds % 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds / 60} min`;
  }
  const minutes = Math.round(ms / 6e4);
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** A duration that a source may not keep. */
function known(ms) {
  return ms === undefined || ms === null ? "–" : duration(ms);
}

/** `1,338,112`. */
function grouped(number) {
  return Math.round(number).toLocaleString("en-US");
}

/** `950`, `12.5 k`, `1.34 M`. */
function short(number) {
  if (number < 10 && number % 1) return figures(number, 2);
  if (number < 9995) return grouped(number);
  if (number < 999500) return `${figures(number / 1e3, 3)} k`;
  if (number < 999500000) return `${figures(number / 1e6, 3)} M`;
  return `${figures(number / 1e9, 3)} G`;
}

/** `8 kB`, `21.4 MB`: powers of 1024, as both servers' tools print them. */
function bytes(number) {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let size = number;
  while (size >= 999.5 && unit + 1 < units.length) {
    size /= 1024;
    unit += 1;
  }
  return unit ? `${figures(size, 3)} ${units[unit]}` : `${grouped(number)} bytes`;
}

/** `78 %`, `0.4 %`. */
function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.05) return "< 0.1 %";
  return value && value < 9.95 ? `${value.toFixed(1)} %` : `${value.toFixed(0)} %`;
}

function counted(number, one, many) {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

const two = (number) => String(number).padStart(2, "0");

/** `2026-03-01`. */
function day(t) {
  return Number.isFinite(t) ? new Date(t).toISOString().slice(0, 10) : "?";
}

/** `12:30`, with seconds when `fine`, with milliseconds when `fine` is below one. */
function clock(t, step) {
  const date = new Date(t);
  const minutes = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (step >= 60000) return minutes;
  const seconds = `${minutes}:${two(date.getUTCSeconds())}`;
  return step >= 1000 ? seconds : `${seconds}.${String(date.getUTCMilliseconds()).padStart(3, "0")}`;
}

/** `2026-03-01 12:30:05`. */
function moment(t) {
  return Number.isFinite(t) ? `${day(t)} ${clock(t, t % 1000 ? 1 : 1000)}` : "?";
}

/** A span in as few words as it takes. */
function spanned(from, to) {
  const a = moment(from - (from % 1000));
  const b = moment(to - (to % 1000));
  return a.slice(0, 10) === b.slice(0, 10) ? `${a} – ${b.slice(11)}` : `${a} – ${b}`;
}
