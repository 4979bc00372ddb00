"""In place of `zoo.run_worker`: leaves what a run leaves, without TensorFlow.

The seed says what happens: 7 diverges, 8 dies, 9 takes until it is ended.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

request = json.loads(sys.stdin.readline())
config, folder = json.loads(request["config"]), Path(request["folder"])
folder.mkdir(parents=True, exist_ok=True)
(folder / "request.json").write_text(json.dumps({**request, "pid": os.getpid()}))
with (folder / "metrics.csv").open("w") as metrics:
    metrics.write("epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.0,0.5,1.0\n")
if config["seed"] == 7:
    print("error: The loss became nan in epoch 1, step 1.", file=sys.stderr)
    sys.exit("I0000 not what matters")
if config["seed"] == 8:
    os.kill(os.getpid(), signal.SIGKILL)
if config["seed"] == 9:
    time.sleep(600)
accuracies = {
    split: {"accuracy": config["seed"] / 10} for split in ("validation", "test")
}
arithmetic = {"threads": request["threads"]}
results = {**accuracies, "arithmetic": arithmetic}
(folder / "results.json").write_text(json.dumps(results))
