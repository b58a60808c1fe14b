// A channel that broke: its producer's task, or the whole worker, is gone. What broke it is for others to say.

export class ChannelLost extends Error {
  override readonly name = 'ChannelLost';
}
