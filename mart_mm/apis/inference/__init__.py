"""The parts of :class:`mart_mm.apis.MARTInferencer`."""
