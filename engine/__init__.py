"""Pools → papers, released sets, adaptive tests and simulations."""

from engine.adaptive import (
    Answered,
    Content,
    DesignError,
    Exposure,
    Start,
    State,
    Stop,
    TestDesign,
    begin,
    read_design,
    step,
    tables_for,
)
from engine.assembly import Assembly, Form, InfeasibleBlueprintError, assemble, form_overlaps
from engine.blueprints import Blueprint, BlueprintError, Rule, Target, from_weights, read_blueprint, reference_form
from engine.pools import Pool, PoolError, read_pool
from engine.raw_scores import Effect, classification_accuracy, effect_of_knowing, pass_probability
from engine.recount import RecountLine, recount
from engine.release import Release, ReleaseError, ReleasePolicy, Stratum, choose_release, read_policy
from engine.reports import write_adaptive_report, write_assembly_report, write_release_report
from engine.simulation import Simulation, content_shares, percent_on, simulate

__all__ = [
    "Answered",
    "Assembly",
    "Blueprint",
    "BlueprintError",
    "Content",
    "DesignError",
    "Effect",
    "Exposure",
    "Form",
    "InfeasibleBlueprintError",
    "Pool",
    "PoolError",
    "RecountLine",
    "Release",
    "ReleaseError",
    "ReleasePolicy",
    "Rule",
    "Simulation",
    "Start",
    "State",
    "Stop",
    "Stratum",
    "Target",
    "TestDesign",
    "assemble",
    "begin",
    "choose_release",
    "classification_accuracy",
    "content_shares",
    "effect_of_knowing",
    "form_overlaps",
    "from_weights",
    "pass_probability",
    "percent_on",
    "read_blueprint",
    "read_design",
    "read_policy",
    "read_pool",
    "recount",
    "reference_form",
    "simulate",
    "step",
    "tables_for",
    "write_adaptive_report",
    "write_assembly_report",
    "write_release_report",
]
