// The front panel's firmware on MicroPython for WebAssembly: this is the hardware around it. One argument, JSON:
//   micropython  its .mjs          tty   the line          files  [[name in the panel, path here], ...]
//   kept         file that holds what survives a reset      cause  of this start, as messages.CAUSES counts
//   rate         how fast its time goes                     seed   of the operator, who presses pedals; 0: none
//   steps        how often `step()` of a script is called
//   flash        folder that holds its flash             cut    number of the change of the flash that is the last; -1
//   resets       how often in a thousand presses the processor is reset before anybody can have heard of it
// Lines on standard input move pins: `level N 0|1`, `exposure 0|1`, `power 0|1`; or `hang`, `reset`, `enough` for the
// operator. Lines on standard output are what happened: `pressed N`, `lights G A R B`, `off 0|1`, `reset`, `hung`.
// The firmware never gives way to node's event loop, so everything here is synchronous, and the watchdog is a thread.
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import { Worker } from 'node:worker_threads'

const given = JSON.parse(process.argv[2])
const { loadMicroPython } = await import(given.micropython)
const TICKS = 0x3fffffff
const WATCHDOG_MS = 2000
const line = fs.openSync(given.tty, fs.constants.O_RDWR | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY)
const commands = fs.openSync('/dev/stdin', fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
const say = (...words) => fs.writeSync(1, words.join(' ') + '\n')

const begun = process.hrtime.bigint()
const now = () => Math.floor(Number(process.hrtime.bigint() - begun) / 1000) * given.rate // microseconds of the panel

const fed = new Int32Array(new SharedArrayBuffer(8)) // how often it was fed; the time of a trial
const ticking = new Int32Array(new SharedArrayBuffer(4))
new Worker(`
  const { workerData: [fed, ms] } = require('node:worker_threads')
  let seen = 0, late // nobody watches before it was fed once
  setInterval(() => {
    if (seen && Atomics.load(fed, 0) === seen) { require('node:fs').writeSync(1, 'hung\\n'); process.kill(process.pid, 'SIGKILL') }
    seen = Atomics.load(fed, 0)
    const guarded = Atomics.load(fed, 1)
    if (!guarded) late = 0
    else if (!late) late = Date.now() + guarded
    else if (Date.now() >= late) { require('node:fs').writeSync(1, 'guarded\\n'); process.kill(process.pid, 'SIGKILL') }
  }, ms)`, { eval: true, workerData: [fed, WATCHDOG_MS] }).unref()

function tryRead(fd, buffer, offset, length) {
  try {
    return fs.readSync(fd, buffer, offset, length, null)
  } catch (error) {
    if (error.code === 'EAGAIN' || error.code === 'EIO') return 0 // nothing there; nobody at the other end
    throw error
  }
}

let changes = 0
function changing() { // the power may go before a change of the flash
  if (changes === given.cut) { say('cut'); process.exit(4) }
  changes += 1
}

function reset() {
  say('reset')
  process.exit(3)
}

const levels = [0, 0, 0, 0]
const edges = []
let failing = false
let memory // what survives a reset
let shown = ''
let off = 0

// An operator: now and then a glitch that a single turn of the firmware sees, else a press and a release that each stand
// until it must have seen them, which is known only by its turns: the machine may stand still at any time.
let state = given.seed >>> 0
function random(below) { // xorshift32
  state ^= state << 13; state >>>= 0
  state ^= state >>> 17
  state ^= state << 5; state >>>= 0
  return state % below
}
const SETTLED = 21000
let until = 300000
let finger = 0
function move(level, then) {
  levels[finger] = level
  doing = time => { // it has seen it move ...
    until = time + SETTLED
    doing = () => { doing = then } // ... and looks once more when it has settled
  }
}
const waiting = () => [...memory.subarray(8, 12)].flatMap(two => [two & 15, two >> 4]).filter(what => what !== 15).length
function idle(time) {
  if (given.enough) return say('enough') + (given.seed = 0)
  if (waiting() > 5) return // the line is down: a finger waits
  finger = random(4)
  if (random(3) === 0) {
    levels[finger] = 1
    doing = () => { levels[finger] = 0; doing = () => { doing = idle } }
  } else move(1, pressed)
}
function pressed(time) {
  say('pressed', finger)
  if (random(1000) < given.resets) reset()
  until = time + random(30000)
  doing = () => move(0, released)
}
function released(time) {
  until = time + random(50000)
  doing = idle
}
let doing = idle

const typed = new Uint8Array(4096)
let rest = ''
const acts = {
  level: (place, level) => { levels[place] = Number(level) },
  exposure: level => { edges[Number(level)] = now() & TICKS },
  power: fails => { failing = fails === '1' },
  enough: () => { given.enough = true },
  hang: () => { for (;;) Atomics.wait(ticking, 0, 0, 1000) },
  reset,
}
function obey() {
  const size = tryRead(commands, typed, 0, typed.length)
  if (size === 0) return
  const lines = (rest + Buffer.from(typed.subarray(0, size)).toString()).split('\n')
  rest = lines.pop()
  for (const words of lines.map(one => one.split(' '))) acts[words[0]](...words.slice(1))
}

const pins = {
  ticks: () => now() % (TICKS + 1),
  random: () => randomInt(1, TICKS),
  cause: () => given.cause,
  level: place => levels[place],
  power_fails: () => failing,
  temperature: () => 3150,
  lights: (...on) => { if (shown !== (shown = on.join(' '))) say('lights', shown) },
  power_cycle: on => { if (off !== (off = Number(on))) say('off', off) },
  feed: () => { Atomics.add(fed, 0, 1) },
  edge: level => edges[level],
  stored: path => { changing(); fs.writeFileSync(given.flash + path, micropython.FS.readFile(path)) },
  renamed: (from, to) => { changing(); fs.renameSync(given.flash + from, given.flash + to) },
  removed: path => { changing(); fs.rmSync(given.flash + path) },
  made: path => fs.mkdirSync(given.flash + path, { recursive: true }),
  free: () => 800000,
  guard: ms => Atomics.store(fed, 1, Math.ceil(ms / given.rate)),
  reset,
  rest: () => {
    Atomics.wait(ticking, 0, 0, 1 / given.rate)
    edges.length = 0
    obey()
    if (given.seed && now() >= until) doing(now())
    return (0 in edges ? 1 : 0) | (1 in edges ? 2 : 0)
  },
}

const micropython = await loadMicroPython({ stdout: text => say(text), linebuffer: true })
const device = (name, minor, read, write) => {
  micropython.FS.registerDevice(micropython.FS.makedev(64, minor), {
    open() {}, close() {},
    read: (_stream, buffer, offset, length) => read(buffer, offset, length),
    write: (_stream, buffer, offset, length) => write(Buffer.from(buffer.buffer, buffer.byteOffset + offset, length)),
  })
  micropython.FS.mkdev(name, micropython.FS.makedev(64, minor))
}
device('/dev/line', 0, (buffer, offset, length) => tryRead(line, buffer, offset, length), data => {
  try { return fs.writeSync(line, data) } catch { return data.length } // no room: lost, as on a wire
})
memory = fs.existsSync(given.kept) ? fs.readFileSync(given.kept) : Buffer.alloc(16)
let read = 0
device('/dev/kept', 1, (buffer, offset, length) => {
  const size = Math.min(length, memory.length - read)
  buffer.set(memory.subarray(read, read + size), offset)
  read += size
  return size
}, data => { memory = Buffer.from(data); fs.writeFileSync(given.kept, data); return data.length })
for (const path of given.flash ? fs.readdirSync(given.flash, { recursive: true }) : []) {
  if (fs.statSync(`${given.flash}/${path}`).isDirectory()) micropython.FS.mkdir(`/${path}`)
  else micropython.FS.writeFile(`/${path}`, fs.readFileSync(`${given.flash}/${path}`))
}
for (const [name, path] of given.files) micropython.FS.writeFile(`/${name}.py`, fs.readFileSync(path))
micropython.registerJsModule('_pins', pins)
micropython.runPython(`import sys\nsys.path.insert(0, '/')\nimport ${given.start ?? 'main'}`)
// Its collector works between calls from outside only.
for (let step = 0; step < (given.steps ?? 0); step++) micropython.runPython('script.step()')
process.exit(0)
