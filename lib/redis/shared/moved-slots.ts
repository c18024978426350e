import type { Cluster } from 'ioredis';

/**
 * Has a cluster client look for its slots anew when a pipeline met one that has moved. ioredis does so by itself only where it can send
 * the pipeline again; one that was executed in part would meet the same error for ever.
 */
export function learnFromPipelines(client: Cluster): void {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream, node) => {
    if (command.pipelineIndex !== undefined) {
      const { reject } = command;
      command.reject = (error) => {
        if (error.message.startsWith('MOVED ')) client.refreshSlotsCache();
        reject(error);
      };
    }
    return send(command, stream, node as object | undefined);
  };
}
