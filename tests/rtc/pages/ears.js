// What every page shares: events are noted as they come, and what is heard is measured.
const noted = [];
const note = (kind, fields = {}) => noted.push({ kind, ...fields });
const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const forget = () => noted.splice(0);
const found = (kind, wanted) =>
  noted.find((event) => event.kind === kind && Object.entries(wanted).every(([name, value]) => equal(event[name], value)));

const audio = new AudioContext({ sampleRate: 48000 });
const ear = new AnalyserNode(audio, { fftSize: 32768, smoothingTimeConstant: 0 });

// A remote track flows only into an element that plays it.
const listen = (track) => {
  const stream = new MediaStream([track]);
  const element = new Audio();
  element.muted = true;
  element.srcObject = stream;
  element.play();
  audio.createMediaStreamSource(stream).connect(ear);
};

// Hertz of the clear tones, the loudest first.
const peaks = () => {
  const bins = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(bins);
  const loudest = Math.max(...bins);
  const isPeak = (level, at) =>
    level > -60 && level > loudest - 20 && level >= Math.max(...bins.subarray(Math.max(0, at - 40), at + 41));
  return [...bins.keys()]
    .filter((at) => isPeak(bins[at], at))
    .sort((one, other) => bins[other] - bins[one])
    .map((at) => (at * audio.sampleRate) / ear.fftSize);
};

// Decibels of the last 40 ms, 0 at full scale.
const level = () => {
  const window = new Float32Array(ear.fftSize);
  ear.getFloatTimeDomainData(window);
  const samples = window.subarray(-2048);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return power ? 10 * Math.log10(power) : -127;
};

// A track that is a steady tone.
const tone = (hertz) => {
  const oscillator = new OscillatorNode(audio, { frequency: hertz });
  const out = new MediaStreamAudioDestinationNode(audio);
  oscillator.connect(new GainNode(audio, { gain: 0.1 })).connect(out);
  oscillator.start();
  return out.stream.getAudioTracks()[0];
};
