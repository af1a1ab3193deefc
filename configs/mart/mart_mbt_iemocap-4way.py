"""MART on MBT-B, IEMOCAP, four classes: neutral, happy (with excited), angry, sad."""

_base_ = './mart_mbt_iemocap.py'

model = dict(head=dict(polarity=[0, 1, -1, -1]))
train_dataloader = dict(dataset=dict(preset='4-way'))
val_dataloader = dict(dataset=dict(preset='4-way'))
test_dataloader = dict(dataset=dict(preset='4-way'))
