// The test's hands around LiveKit's client, which is used as it comes.
const { DisconnectReason, Room, RoomEvent, Track } = LivekitClient;
LivekitClient.setLogLevel("warn");
const room = new Room();
const me = room.localParticipant;
const text = (payload) => new TextDecoder().decode(payload);

for (const kind of ["Connected", "Reconnecting", "SignalReconnecting", "Reconnected"]) {
  room.on(RoomEvent[kind], () => note(RoomEvent[kind]));
}
for (const kind of ["ParticipantConnected", "ParticipantDisconnected"]) {
  room.on(RoomEvent[kind], ({ identity }) => note(RoomEvent[kind], { from: identity }));
}
for (const kind of ["TrackMuted", "TrackUnmuted", "TrackPublished", "TrackUnpublished"]) {
  room.on(RoomEvent[kind], ({ source }, { identity }) => note(RoomEvent[kind], { from: identity, source }));
}
room
  .on(RoomEvent.Disconnected, (reason) => note("disconnected", { reason: DisconnectReason[reason] }))
  .on(RoomEvent.TrackSubscribed, ({ mediaStreamTrack }, _, { identity }) => {
    note("trackSubscribed", { from: identity });
    listen(mediaStreamTrack);
  })
  .on(RoomEvent.LocalTrackPublished, ({ source }) => note("localTrackPublished", { source }))
  .on(RoomEvent.LocalTrackUnpublished, ({ source }) => note("localTrackUnpublished", { source }))
  .on(RoomEvent.ActiveSpeakersChanged, (speakers) => {
    speakers.forEach(({ identity, isLocal }) => note("speaking", { from: identity, me: isLocal }));
  })
  .on(RoomEvent.DataReceived, (payload, sender, kind, topic) => {
    if (topic === "callUpdate") note("callUpdate", { ...JSON.parse(text(payload)), from: sender?.identity ?? null });
    else note("data", { from: sender?.identity, topic, text: text(payload), isLossy: kind === 1 });
  })
  .on(RoomEvent.SipDTMFReceived, ({ digit, code }, sender) => note("dtmf", { from: sender?.identity, digit, code }))
  .on(RoomEvent.TranscriptionReceived, (segments, speaker) =>
    segments.forEach(({ text, final }) => note("transcription", { from: speaker?.identity, text, final })))
  .on(RoomEvent.ParticipantAttributesChanged, (changed, { identity }) =>
    Object.entries(changed).forEach(([name, value]) => note("attribute", { from: identity, name, value })))
  .on(RoomEvent.ParticipantMetadataChanged, (_, { identity, metadata }) => note("metadata", { from: identity, metadata }))
  .on(RoomEvent.ParticipantNameChanged, (name, { identity }) => note("name", { from: identity, name }));

for (const topic of ["lk.transcription", "lk.chat"]) {
  room.registerTextStreamHandler(topic, async (reader, { identity }) =>
    note("stream", { topic, from: identity, text: await reader.readAll(), attributes: reader.info.attributes }));
}

room.registerRpcMethod("ask", async ({ callerIdentity, payload }) => `${callerIdentity} asked ${payload}`);

const describe = ({ identity, name, metadata, attributes, isAgent }) => ({ identity, name, metadata, attributes, isAgent });

const enter = async (url, token) => {
  await room.connect(url, token);
  return [...room.remoteParticipants.values()].map(describe);
};

const prepare = (url, token) => room.prepareConnection(url, token);
const speak = async (isOn = true) => void (await me.setMicrophoneEnabled(isOn));
const sound = async (hertz) => void (await me.publishTrack(tone(hertz), { source: Track.Source.Microphone }));
const hush = async () => void (await me.unpublishTrack(me.getTrackPublication(Track.Source.Microphone).track));
const film = async () => void (await me.setCameraEnabled(true));
const send = (text, topic, reliable) => me.publishData(new TextEncoder().encode(text), { topic, reliable });
const write = async (text, topic) => void (await me.sendText(text, { topic }));
const press = (code, digit) => me.publishDtmf(code, digit);
const ask = (destinationIdentity, method, payload) => me.performRpc({ destinationIdentity, method, payload });
const present = async (name, metadata, attributes) => {
  await me.setName(name);
  await me.setMetadata(metadata);
  await me.setAttributes(attributes);
};
const simulate = (scenario) => room.simulateScenario(scenario);
const leave = () => room.disconnect();
