// aedes on a port of the loopback: node aedes_broker.mjs PATH_OF_AEDES_JS PORT
import net from "node:net";

const { Aedes } = await import(process.argv[2]);
const broker = await Aedes.createBroker();
net.createServer(broker.handle).listen(Number(process.argv[3]), "127.0.0.1");
