"""Peer of the slate optimiser: HiGHS on the problems that `slate_bench` wrote, to the same gap on the same machine.

    cargo run --release -p marquee-invest --example slate_bench -- FOLDER [large|small]
    python3 slate_peer.py FOLDER [--time-limit SECONDS] [--only NAME]

Prints one JSON object a line for each problem: {problem, peer, version, seconds, status, objective, bound, relative_gap,
marquee_seconds, marquee_objective, times_slower, objective_difference}. The program is the mixed-integer one of Rockafellar
and Uryasev (2000): a binary for each project, one variable for the value at risk, one for each scenario's excess over it.
HiGHS has its own threads, presolve, cuts and heuristics as they come; `mip_rel_gap` is the gap that the other side was
given (1e-9 where that was exact) and `mip_abs_gap` is 0. Money is in millions. The clock starts when the model is handed
over and stops when the solver returns. `times_slower` is HiGHS's time over Marquee's, a lower bound where it ran out of time.
"""

import argparse
import glob
import json
import os
import time

MILLION = 1e6


def model(problem, profits):
    import highspy
    import numpy as np
    import scipy.sparse as sparse

    n, scenarios = profits.shape
    mass = problem["tail"] * scenarios
    lp = highspy.HighsLp()
    columns = n + 1 + scenarios
    inf = highspy.kHighsInf
    risk = problem["aversion"]
    lp.num_col_ = columns
    # Maximised: mean - aversion * (value at risk + excess / mass).
    lp.col_cost_ = np.concatenate([profits.mean(axis=1), [-risk], np.full(scenarios, -risk / mass)])
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_lower_ = np.concatenate([np.zeros(n), [-inf], np.zeros(scenarios)])
    lp.col_upper_ = np.concatenate([np.ones(n), [inf], np.full(scenarios, inf)])
    # excess + value at risk + profit >= 0 in every scenario.
    tails = sparse.hstack(
        [sparse.csr_matrix(profits.T), sparse.csr_matrix(np.ones((scenarios, 1))), sparse.eye(scenarios, format="csr")]
    )
    rows = np.array([row["coefficients"] for row in problem["rows"]])
    limits = np.array([row["limit"] for row in problem["rows"]])
    # Rows in USD are brought to millions, counts stay.
    scale = np.where(np.abs(rows).max(axis=1) > 1000, MILLION, 1.0)
    rules = sparse.hstack(
        [sparse.csr_matrix(rows / scale[:, None]), sparse.csr_matrix((len(limits), 1 + scenarios))]
    )
    matrix = sparse.vstack([rules, tails]).tocsc()
    lp.num_row_ = matrix.shape[0]
    lp.row_lower_ = np.concatenate([np.full(len(limits), -inf), np.zeros(scenarios)])
    lp.row_upper_ = np.concatenate([limits / scale, np.full(scenarios, inf)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger] * n + [highspy.HighsVarType.kContinuous] * (1 + scenarios)
    return lp


def solve(path, time_limit):
    import highspy
    import numpy as np

    with open(path) as file:
        problem = json.load(file)
    shape = (problem["projects"], problem["scenarios"])
    profits = np.fromfile(path[: -len(".json")] + ".f64", dtype="<f8").reshape(shape) / MILLION
    lp = model(problem, profits)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", problem["gap"] or 1e-9)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.setOptionValue("time_limit", float(time_limit))
    began = time.perf_counter()
    solver.passModel(lp)
    solver.run()
    seconds = time.perf_counter() - began
    info = solver.getInfo()
    found = problem["found"]
    objective = info.objective_function_value * MILLION
    finite = abs(objective) < 1e20
    return {
        "problem": found["problem"],
        "peer": "highs",
        "version": solver.version(),
        "seconds": round(seconds, 3),
        "status": solver.modelStatusToString(solver.getModelStatus()),
        "objective": objective if finite else None,
        "bound": info.mip_dual_bound * MILLION if abs(info.mip_dual_bound) < 1e20 else None,
        "relative_gap": info.mip_gap if info.mip_gap < 1e20 else None,
        "marquee_seconds": found["seconds"],
        "marquee_objective": found["objective"],
        "times_slower": round(seconds / max(found["seconds"], 1e-3), 1),
        "objective_difference": (objective - found["objective"]) if finite else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds for each problem")
    parser.add_argument("--only", default="*", help="only problems whose name fits this pattern")
    options = parser.parse_args()
    paths = sorted(glob.glob(os.path.join(options.folder, options.only + ".json")))
    if not paths:
        parser.error(f"{options.folder} holds no problem; write some with slate_bench")
    for path in paths:
        name = os.path.basename(path)[: -len(".json")]
        try:
            line = solve(path, options.time_limit)
        except ImportError as error:
            line = {"problem": name, "peer": "highs", "skipped": f"{error}; install it with `pip install highspy scipy`"}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
