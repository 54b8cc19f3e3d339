"""The rules by which a run is judged, one declaration each."""
