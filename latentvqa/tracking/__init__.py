"""What a training tells other tools: TensorBoard, Weights & Biases, Trackio."""
