// A client's connection to the leading JobMaster, found through master.json.
import { connect, type Socket } from 'node:net';
import type { JobFolder } from '../../store/job-folder.ts';
import { Connection } from '../protocol/connection.ts';
import { type MasterAddress, readMasterFile } from '../protocol/master-file.ts';
import type { ToClient, ToJobMaster } from '../protocol/messages.ts';
import { parseToClient } from '../protocol/validate.ts';

export type MasterConnection = Connection<ToJobMaster, ToClient>;

export interface MasterLink {
  readonly epoch: number;
  readonly token: string;
  readonly connection: MasterConnection;
}

/** Connects to the master that master.json names, if its epoch is above `epochAbove`; null: none answers. */
export async function linkToMaster(folder: JobFolder, epochAbove: number): Promise<MasterLink | null> {
  const address = await readMasterFile(folder.masterFile);
  if (!address || address.epoch <= epochAbove) return null;
  const socket = await connectTo(address);
  if (!socket) return null;
  const connection: MasterConnection = new Connection({ socket, peer: 'the JobMaster', parse: parseToClient });
  return { epoch: address.epoch, token: address.token, connection };
}

function connectTo(address: MasterAddress): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', () => resolve(null));
  });
}
