// The test's hands around `join` of docs/rooms.md, which is put into this page as it stands there.
let call;

const enter = async (base, token) => {
  call = await join(base, token);
  call.events.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    note(event.type, event);
    if (event.type === "answer") call.peer.setRemoteDescription(event);
    if (event.topic === "callUpdate") note("callUpdate", JSON.parse(event.payload));
  });
  call.peer.getReceivers().forEach(({ track }) => listen(track));
  return { me: call.participant.identity, others: call.participants.map(({ identity, kind }) => [identity, kind]) };
};

const send = (message) => call.events.send(JSON.stringify(message));

const press = (digits) => {
  const [sender] = call.peer.getSenders();
  if (!sender.dtmf.canInsertDTMF) throw new Error("no digits can be sent");
  sender.dtmf.insertDTMF(digits, 100, 50);
};

// What `offer_wanted` asks for.
const widen = async () => {
  listen(call.peer.addTransceiver("audio", { direction: "recvonly" }).receiver.track);
  await call.peer.setLocalDescription();
  send({ type: "offer", sdp: call.peer.localDescription.sdp });
};
